//! The instance's key, and the links, marks and keyed hashes made with it.
//!
//! A link's token is its row's id and an HMAC-SHA256 (128 bits kept) over what the link is for, the id and the
//! row's nonce. No table holds a usable token, a mail rendered later carries the same one, and a new nonce revokes it.

use std::io::{Read, Write};
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::chance::Chance;
use crate::encode;

/// Bytes of the instance key.
const KEY_BYTES: usize = 32;
/// Bytes kept of a token's HMAC: 128 bits.
const MAC_BYTES: usize = 16;

/// What a link may be used for; a token made for one use proves nothing for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// `/s/`: start or resume a sitting.
    Start,
    /// `/r/`: read a report.
    Report,
    /// `/u/`: stop mail.
    Unsubscribe,
    /// `/p/`: preferences, export and erase.
    Preferences,
}

impl Use {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Start => b"link:start",
            Self::Report => b"link:report",
            Self::Unsubscribe => b"link:unsubscribe",
            Self::Preferences => b"link:preferences",
        }
    }
}

/// A token as it came in: well formed, not yet proved.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The id of the row that the token speaks of.
    pub row_id: String,
    mac: [u8; MAC_BYTES],
}

// A token is never logged, so its debug form hides the proof.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

impl Token {
    /// Reads the text of a link's last segment; nothing if it cannot be a token at all.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = encode::from_base64url(text)?;
        let (id, mac) = bytes.split_first_chunk::<16>()?;
        let row_id = uuid::Uuid::from_bytes(*id).to_string();
        Some(Self { row_id, mac: mac.try_into().ok()? })
    }
}

/// The instance key: shared by nodes, part of backups, never in a log.
#[derive(Clone)]
pub struct Keys([u8; KEY_BYTES]);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(..)")
    }
}

impl Keys {
    /// Keys from raw bytes, for tests.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// Reads the key file, or makes it (mode 0600) if it is not there and `may_make` is true.
    ///
    /// # Errors
    /// If the file cannot be read or made, or does not hold 64 hexadecimal digits.
    pub fn load(path: &Path, may_make: bool, chance: &Chance) -> std::io::Result<Self> {
        match std::fs::File::open(path) {
            Ok(mut file) => {
                let mut text = String::new();
                file.read_to_string(&mut text)?;
                Self::from_hex(text.trim()).ok_or_else(|| {
                    let what = "it must hold 64 hexadecimal digits, as made by the program itself";
                    std::io::Error::new(std::io::ErrorKind::InvalidData, what)
                })
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && may_make => {
                Self::make(path, chance)
            }
            Err(e) => Err(e),
        }
    }

    /// The token of a link to `row_id` for `use_`, under the row's `nonce`.
    #[must_use]
    pub fn token(&self, use_: Use, row_id: &str, nonce: &str) -> String {
        let id = uuid::Uuid::try_parse(row_id).unwrap_or_default();
        let mac = self.mac(&[use_.label(), id.as_bytes(), nonce.as_bytes()]);
        let mut bytes = [0; 16 + MAC_BYTES];
        bytes[..16].copy_from_slice(id.as_bytes());
        bytes[16..].copy_from_slice(&mac[..MAC_BYTES]);
        encode::base64url(&bytes)
    }

    /// Whether `token` was made for `use_` under `nonce`; compared in constant time.
    #[must_use]
    pub fn proves(&self, use_: Use, token: &Token, nonce: &str) -> bool {
        let id = uuid::Uuid::try_parse(&token.row_id).unwrap_or_default();
        let mac = self.mac(&[use_.label(), id.as_bytes(), nonce.as_bytes()]);
        mac[..MAC_BYTES].ct_eq(&token.mac).into()
    }

    /// A keyed hash of an address, all that a suppression or an erasure receipt keeps of it.
    #[must_use]
    pub fn address_hash(&self, address_key: &str) -> String {
        encode::hex(&self.mac(&[b"address", address_key.as_bytes()]))
    }

    /// HMAC-SHA256 over the parts, each led by its length so that parts cannot run into each other.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any key length is accepted");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn from_hex(text: &str) -> Option<Self> {
        let mut key = [0; KEY_BYTES];
        if text.len() != KEY_BYTES * 2 || !text.is_ascii() {
            return None;
        }
        for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(key))
    }

    fn make(path: &Path, chance: &Chance) -> std::io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let key = Self(chance.bytes());
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        writeln!(file, "{}", encode::hex(&key.0))?;
        file.sync_all()?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = "019ab4f0-5c00-7000-8000-000000000001";

    fn keys() -> Keys {
        Keys::from_bytes([7; 32])
    }

    #[test]
    fn a_token_proves_its_own_use_row_and_nonce_only() {
        let text = keys().token(Use::Start, ROW, "n1");
        let token = Token::parse(&text).unwrap();
        assert_eq!(token.row_id, ROW);
        assert!(keys().proves(Use::Start, &token, "n1"));
        assert!(!keys().proves(Use::Start, &token, "n2"), "a new nonce revokes");
        assert!(!keys().proves(Use::Report, &token, "n1"), "bound to its use");
        assert!(!Keys::from_bytes([8; 32]).proves(Use::Start, &token, "n1"), "bound to the key");
        assert_eq!(text.len(), 43);
    }

    #[test]
    fn text_that_cannot_be_a_token_is_not_one() {
        for text in ["", "short", "!!!", &"A".repeat(44), &"A".repeat(10_000)] {
            assert_eq!(Token::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_key_file_is_made_once_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        let chance = Chance::from_seed(1);
        let made = Keys::load(&path, true, &chance).unwrap();
        let again = Keys::load(&path, true, &chance).unwrap();
        assert_eq!(made.0, again.0);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "not a key").unwrap();
        assert!(Keys::load(&path, true, &chance).is_err());
    }
}
