//! A mail is a letter in one file, from which both of its bodies are made, so that they always say the same.
//!
//! The first line is `Subject: …`. Then paragraphs, an empty line between them. A line `[words](address)` that stands alone is
//! a link: the first before the `--` line is the letter's one button. What follows `--` is the foot: why the letter came
//! and how to stop it. Lines that begin with `> ` are somebody else's words.

/// A mail as it will be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The subject.
    pub subject: String,
    /// The plain body.
    pub text: String,
    /// The HTML body.
    pub html: String,
    /// The address that stops this kind of mail, for the `List-Unsubscribe` header.
    pub unsubscribe: Option<String>,
    /// Who answers are for, if it is not the sender.
    pub reply_to: Option<String>,
}

/// Why a letter's file will not do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the letter does not begin with a line \"Subject: …\"")]
pub struct LetterError;

const PAGE: &str = "margin:0;padding:24px 16px;background:#fbfaf7;color:#1d1c1a;\
     font:17px/1.55 Charter,'Bitstream Charter','Sitka Text',Cambria,Georgia,serif";
const PARAGRAPH: &str = "margin:0 0 16px";
const QUOTE: &str =
    "margin:0 0 16px;padding-left:16px;border-left:3px solid #8a857b;white-space:pre-wrap";
const FOOT: &str = "margin:32px 0 0;padding-top:16px;border-top:1px solid #8a857b;\
     font:14px/1.5 system-ui,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#57534a";

impl Letter {
    /// Makes both bodies from a rendered letter file; `accent` is the colour of the button.
    ///
    /// # Errors
    /// If the file has no subject.
    pub fn from_file(file: &str, accent: &str) -> Result<Self, LetterError> {
        let file = file.trim_start();
        let (first, body) = file.split_once('\n').ok_or(LetterError)?;
        let subject = first.strip_prefix("Subject: ").ok_or(LetterError)?.trim().to_owned();
        let (main, foot) = body.split_once("\n--\n").unwrap_or((body, ""));
        let text = format!("{}\n\n-- \n{}\n", plain(main), plain(foot));
        let html = document(&subject, main, foot, accent);
        Ok(Self { subject, text, html, unsubscribe: None, reply_to: None })
    }

    /// The same letter with the address that stops its kind.
    #[must_use]
    pub fn with_unsubscribe(mut self, address: String) -> Self {
        self.unsubscribe = Some(address);
        self
    }

    /// The same letter, answered to somebody else.
    #[must_use]
    pub fn with_reply_to(mut self, address: String) -> Self {
        self.reply_to = Some(address);
        self
    }
}

/// A line that is a link and nothing else.
fn link(line: &str) -> Option<(&str, &str)> {
    let (words, address) = line.strip_prefix('[')?.strip_suffix(')')?.split_once("](")?;
    (address.starts_with("https://") || address.starts_with("http://")).then_some((words, address))
}

fn paragraphs(part: &str) -> impl Iterator<Item = &str> {
    part.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty())
}

fn plain(part: &str) -> String {
    let paragraphs = paragraphs(part).map(|paragraph| {
        let lines = paragraph.lines().map(|line| match link(line.trim()) {
            Some((words, address)) => format!("{words}:\n{address}"),
            None => line.trim_end().to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

fn document(subject: &str, main: &str, foot: &str, accent: &str) -> String {
    let button = format!(
        "display:inline-block;padding:12px 24px;background:{accent};color:#ffffff;text-decoration:none;\
         font:600 17px/1.3 system-ui,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;border-radius:4px"
    );
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en-GB\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{}</title></head>\n\
         <body style=\"{PAGE}\"><div style=\"max-width:560px;margin:0 auto\">\n",
        escape(subject)
    );
    let mut has_button = false;
    for paragraph in paragraphs(main) {
        match link(paragraph) {
            Some((words, address)) if !has_button => {
                has_button = true;
                let (words, address) = (escape(words), escape(address));
                html.push_str(&format!(
                    "<p style=\"{PARAGRAPH}\"><a href=\"{address}\" style=\"{button}\">{words}</a></p>\n"
                ));
            }
            _ => html.push_str(&block(paragraph)),
        }
    }
    html.push_str(&format!("<div style=\"{FOOT}\">\n"));
    paragraphs(foot).for_each(|paragraph| html.push_str(&block(paragraph)));
    html.push_str("</div></div></body></html>\n");
    html
}

fn block(paragraph: &str) -> String {
    if paragraph.lines().all(|line| line.starts_with('>')) {
        let lines = paragraph.lines().map(|line| escape(line[1..].trim_start()));
        let quoted = lines.collect::<Vec<_>>().join("\n");
        return format!("<blockquote style=\"{QUOTE}\">{quoted}</blockquote>\n");
    }
    let lines = paragraph.lines().map(|line| match link(line.trim()) {
        Some((words, address)) => {
            format!("<a href=\"{}\" style=\"color:inherit\">{}</a>", escape(address), escape(words))
        }
        None => escape(line.trim()),
    });
    format!("<p style=\"{PARAGRAPH}\">{}</p>\n", lines.collect::<Vec<_>>().join("<br>\n"))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "Subject: Your link\n\nHello Ada & co,\n\n[Start](https://x.example/s/1)\n\n\
         > [Click](https://evil.example)\n> <b>\n\n--\nBecause you asked.\n[No more](https://x.example/u/1)\n";

    #[test]
    fn both_bodies_are_made_from_one_file() {
        let letter = Letter::from_file(FILE, "#123456").unwrap();
        assert_eq!(letter.subject, "Your link");
        assert_eq!(
            letter.text,
            "Hello Ada & co,\n\nStart:\nhttps://x.example/s/1\n\n> [Click](https://evil.example)\n> <b>\n\n\
             -- \nBecause you asked.\nNo more:\nhttps://x.example/u/1\n"
        );
        assert!(letter.html.contains("Hello Ada &amp; co,"));
        assert_eq!(letter.html.matches("<a href").count(), 2, "the words of others make no links");
        assert!(letter.html.contains("&lt;b&gt;"));
    }

    #[test]
    fn a_letter_without_a_subject_is_refused() {
        assert_eq!(Letter::from_file("Hello\n", "#123456"), Err(LetterError));
    }
}
