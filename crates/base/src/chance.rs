//! Chance and identity as arguments: one seeded generator behind every id, nonce and shuffle.

use std::sync::{Arc, Mutex};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::encode;

/// The program's source of randomness: a cryptographic generator (ChaCha), seeded once. A copy draws
/// from the same stream.
#[derive(Clone, Debug)]
pub struct Chance(Arc<Mutex<StdRng>>);

impl Chance {
    /// Seeded by the operating system; what `serve` uses.
    ///
    /// # Errors
    /// If the operating system cannot give random bytes.
    pub fn from_os() -> std::io::Result<Self> {
        let rng = StdRng::try_from_rng(&mut rand::rngs::SysRng).map_err(std::io::Error::other)?;
        Ok(Self(Arc::new(Mutex::new(rng))))
    }

    /// Seeded by a number, so that a test repeats.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        let mut rng = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        rng.fill_bytes(&mut bytes);
        bytes
    }

    /// A new row's id: a version 7 UUID, so that rows sort by the time of their making.
    pub fn id(&self, now_ms: i64) -> String {
        let millis = u64::try_from(now_ms).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid().to_string()
    }

    /// A row's id that does not tell when it was made: a version 4 UUID.
    pub fn timeless_id(&self) -> String {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid().to_string()
    }

    /// A nonce of 128 random bits, as stored beside a row whose links it makes and unmakes.
    pub fn nonce(&self) -> String {
        encode::base64url(&self.bytes::<16>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids_in_order_of_time() {
        let (one, two) = (Chance::from_seed(7), Chance::from_seed(7));
        assert_eq!(one.id(5), two.id(5));
        assert!(one.id(6) < one.id(7));
        assert_eq!(one.nonce().len(), 22);
    }
}
