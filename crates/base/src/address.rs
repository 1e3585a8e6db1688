//! Email addresses and names, parsed at the door.

use lettre::Address;

/// Octets of the longest address (RFC 5321 4.5.3.1.3, less the angle brackets).
const ADDRESS_BYTES_MAX: usize = 254;
/// Octets of the longest local part (RFC 5321 4.5.3.1.1).
const LOCAL_PART_BYTES_MAX: usize = 64;
/// Characters of the longest name.
const NAME_CHARS_MAX: usize = 80;

/// An address that mail can be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress {
    /// As written, with the domain in the form that mail servers read (IDNA).
    pub address: String,
    /// What two spellings of one mailbox have in common: lower case throughout.
    pub key: String,
}

impl EmailAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it and what to write.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Err("Write your email address: the link goes there");
        }
        let malformed = "Write one email address, such as name@example.org";
        if text.len() > ADDRESS_BYTES_MAX {
            return Err("That address is longer than any mail server accepts. Write a shorter one");
        }
        if text.chars().any(char::is_control) {
            return Err(malformed);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(malformed)?;
        let local = &unquoted(local);
        if !local.is_ascii() {
            return Err(
                "Many mail servers cannot take letters such as é or ü before the @. Write another address",
            );
        }
        let domain = idna::domain_to_ascii(domain).map_err(|_| malformed)?;
        let top = domain.rsplit_once('.').map(|(_, top)| top).ok_or(malformed)?;
        // An address in figures (RFC 5321 4.1.3) names a machine, not a domain that takes mail.
        let is_figures = top.bytes().all(|b| b.is_ascii_digit()) || domain.starts_with('[');
        if local.len() > LOCAL_PART_BYTES_MAX || is_figures {
            return Err(malformed);
        }
        let address = Address::new(local, &domain).map_err(|_| malformed)?.to_string();
        if address.len() > ADDRESS_BYTES_MAX {
            return Err(malformed);
        }
        let key = address.to_lowercase();
        Ok(Self { address, key })
    }
}

/// The inbox behind the key of an address, as far as it can be guessed: without what follows a `+` and without dots, which many
/// providers disregard. Only good for counting: elsewhere these may be two persons.
#[must_use]
pub fn inbox(key: &str) -> String {
    let (local, domain) = key.rsplit_once('@').unwrap_or((key, ""));
    let local = local.split('+').next().unwrap_or_default().replace('.', "");
    format!("{local}@{domain}")
}

/// The local part without quotation marks that change nothing: `"ada"` is the mailbox `ada` (RFC 5321 4.1.2), and must not be
/// a second person to whom a stranger can have mail sent. One that needs its marks keeps them.
fn unquoted(local: &str) -> String {
    let inner = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner.map(|inner| inner.replace('\\', "")) else { return local.to_owned() };
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let is_plain = inner.split('.').all(|part| !part.is_empty() && part.chars().all(is_atom));
    if is_plain { inner } else { local.to_owned() }
}

/// Whether a character is not seen but changes what is: control characters, line separators, and marks that reverse the
/// direction of what follows. Joiners are letters of some scripts and stay.
fn is_unseen(c: char) -> bool {
    let is_marks = matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_marks || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// Reads a name: one line, no web address in it, since it is repeated in a mail to somebody who may not have asked.
///
/// # Errors
/// What is wrong with it and what to write.
pub fn parse_name(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    if name.is_empty() {
        return Err("Write your name, as you would like to be greeted");
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err("Write a name of at most 80 characters");
    }
    if name.chars().any(is_unseen) {
        return Err("Write your name on one line");
    }
    if !name.chars().any(char::is_alphanumeric) {
        return Err("Write your name, as you would like to be greeted");
    }
    let lower = name.to_lowercase();
    let looks_like_link = ["://", "www.", "http", "@"].iter().any(|mark| lower.contains(mark));
    if looks_like_link || name.contains(['<', '>']) {
        return Err("Write your name only, without addresses or signs such as < and >");
    }
    Ok(name.to_owned())
}

/// Reads an optional single line of at most `chars_max` characters.
///
/// # Errors
/// What is wrong with it.
pub fn parse_line(text: &str, chars_max: usize) -> Result<String, String> {
    let line = text.trim();
    if line.chars().any(is_unseen) {
        return Err(String::from("Write this on one line"));
    }
    if line.chars().count() > chars_max {
        return Err(format!("Write at most {chars_max} characters"));
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        let parsed = EmailAddress::parse(text);
        assert_eq!(
            parsed.as_ref().ok().map(|a| a.address.as_str()),
            expect,
            "{text:?}: {parsed:?}"
        );
    }

    #[test]
    fn addresses_are_read_or_refused_in_words() {
        check(" Ada@Example.org ", Some("Ada@example.org"));
        check("ada+quiz@example.org", Some("ada+quiz@example.org"));
        check("ada@b\u{fc}cher.example", Some("ada@xn--bcher-kva.example"));
        check("\"ada\"@example.org", Some("ada@example.org"));
        check("\"a\\da.b+c\"@example.org", Some("ada.b+c@example.org"));
        check("\"ada love\"@example.org", Some("\"ada love\"@example.org"));
        for bad in ["\"\"\"@example.org", "\"@example.org", "a\"b@example.org", "ada\"@example.org"]
        {
            check(bad, None);
        }
        for figures in ["ada@127.0.0.1", "ada@[127.0.0.1]", "ada@[IPv6:::1]", "ada@example.1"] {
            check(figures, None);
        }
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.org",
            "ada@localhost",
            "a b@example.org",
            "ada@exa mple.org",
        ] {
            check(bad, None);
        }
        for bad in
            ["ada@example.org\r\nBcc: x@example.org", "a\0@example.org", "ad\u{e4}@example.org"]
        {
            check(bad, None);
        }
        check(&format!("{}@example.org", "a".repeat(65)), None);
        check(&format!("{}@example.org", "a".repeat(10_000)), None);
        assert_eq!(EmailAddress::parse("Ada@EXAMPLE.org").unwrap().key, "ada@example.org");
    }

    #[test]
    fn a_name_is_a_name() {
        assert_eq!(parse_name(" Ada Lovelace ").unwrap(), "Ada Lovelace");
        assert_eq!(parse_name("O\u{2019}Neill-\u{141}uk").unwrap(), "O\u{2019}Neill-\u{141}uk");
        for bad in [
            "",
            "  ",
            "a\r\nb",
            "\u{202e}adA",
            "Ada\u{2028}b",
            "\u{200b}",
            "--",
            "win at www.example.org",
            "https://x.example",
            "a@b",
            "<b>x</b>",
        ] {
            assert!(parse_name(bad).is_err(), "{bad:?}");
        }
        assert!(parse_name(&"x".repeat(81)).is_err());
    }
}
