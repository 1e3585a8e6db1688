//! Somebody else's words in a mail of ours: whoever gets it may never have written to us, so they must not carry a
//! stranger's links to them.

/// Stands for a web address.
const LEFT_OUT: &str = "[web address]";
/// What parts a host name: the full stop and those that IDNA reads as one.
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// The text without web addresses. Where a full stop may be only a slip of typing (`the end.Next one`), a space after it keeps
/// a mail program from making a link of it.
#[must_use]
pub fn without_web_addresses(text: &str) -> String {
    let words = text.split_inclusive(char::is_whitespace).map(|piece| {
        let word = piece.trim_end();
        let space = &piece[word.len()..];
        match kind(word) {
            Kind::Plain => piece.to_owned(),
            Kind::Address => format!("{LEFT_OUT}{space}"),
            Kind::Doubtful => format!("{}{space}", word.replace(DOTS, ". ").trim_end()),
        }
    });
    words.collect()
}

/// How a letter begins. A name that holds a web address is left out.
#[must_use]
pub fn greeting(name: &str) -> String {
    let name = without_web_addresses(name);
    if name.contains(LEFT_OUT) { String::from("Hello,") } else { format!("Hello {name},") }
}

/// In the order in which they decide about a word of several parts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Plain,
    /// A host in mixed letters: a mail program would make a link of `Pills.Example`, and of `end.Next`.
    Doubtful,
    /// A scheme, or a host: a dot before two letters or more, all small or all capital.
    Address,
}

fn kind(word: &str) -> Kind {
    if word.contains("://") || word.to_ascii_lowercase().contains("www.") {
        return Kind::Address;
    }
    // A mail program finds a host behind a colon, before a bracket, in the middle of anything.
    let hosts = word.split(|c: char| !c.is_alphanumeric() && c != '-' && !DOTS.contains(&c));
    hosts.map(kind_of_host).max().unwrap_or(Kind::Plain)
}

fn kind_of_host(host: &str) -> Kind {
    let host = host.trim_matches(|c: char| !c.is_alphanumeric());
    let Some((before, last)) = host.rsplit_once(DOTS) else { return Kind::Plain };
    let is_top = last.chars().all(char::is_alphabetic) || last.to_lowercase().starts_with("xn--");
    let is_host = last.chars().count() >= 2
        && is_top
        && before.chars().next_back().is_some_and(char::is_alphanumeric);
    let is_one_case =
        !last.chars().any(char::is_uppercase) || !last.chars().any(char::is_lowercase);
    match (is_host, is_one_case) {
        (false, _) => Kind::Plain,
        (true, true) => Kind::Address,
        (true, false) => Kind::Doubtful,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_carries_no_web_address() {
        let check = |text: &str, expect: &str| assert_eq!(without_web_addresses(text), expect);
        let plain = "Is it enough?\nE.g. 1.5 days, i.e. 12.30 h.";
        check(plain, plain);
        check("See https://x.example/a?b=c\nnow", "See [web address]\nnow");
        check("(www.pills.example), pills.com/buy", "[web address] [web address]");
        check("PILLS.EXAMPLE PILLS.example.", "[web address] [web address]");
        check("Pills.Example! pills\u{3002}com", "Pills. Example! [web address]");
        check("the end.Next one", "the end. Next one");
        for word in
            ["buy:x.example", "x.example)now", "a,x.example,b", "(a)x.example/b", "a_b.c.de"]
        {
            check(word, "[web address]");
        }
        check("x.xn--p1ai", "[web address]");
        check("12:30, 3.5-4.5%, and/or, e.g.:a", "12:30, 3.5-4.5%, and/or, e.g.:a");
        check("", "");
    }

    #[test]
    fn a_greeting_carries_no_link() {
        assert_eq!(greeting("Ada Byron"), "Hello Ada Byron,");
        assert_eq!(greeting("Dr. A. Byron"), "Hello Dr. A. Byron,");
        assert_eq!(greeting("Dr.Byron"), "Hello Dr. Byron,");
        for name in [
            "Win at pills.example",
            "WIN.EXAMPLE/now",
            "Sign in: x.example:8080",
            "Prize:x.example/now",
        ] {
            assert_eq!(greeting(name), "Hello,");
        }
    }
}
