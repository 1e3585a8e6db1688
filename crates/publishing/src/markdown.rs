//! Markdown to HTML: CommonMark with tables, footnotes and heading links; raw HTML is shown as text, never passed through.

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// Words read in a minute, for the reading time.
const WORDS_PER_MINUTE: usize = 220;

/// A text as pages show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Safe HTML.
    pub html: String,
    /// Second-level headings: id, words.
    pub contents: Vec<(String, String)>,
    /// Minutes to read it, at least one.
    pub minutes: usize,
}

/// Renders Markdown; `directive` gives the HTML of a paragraph `::name argument::` that stands alone.
pub fn render(text: &str, directive: &dyn Fn(&str, &str) -> Option<String>) -> Rendered {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_SMART_PUNCTUATION
        | Options::ENABLE_STRIKETHROUGH;
    let mut rendered = Rendered::default();
    let mut n_words = 0;
    for part in split_directives(text) {
        match part {
            Part::Text(markdown) => {
                n_words += markdown.split_whitespace().count();
                let events: Vec<Event<'_>> =
                    Parser::new_ext(markdown, options).map(inert).collect();
                let events = with_heading_ids(events, &mut rendered.contents);
                html::push_html(&mut rendered.html, events.into_iter());
            }
            Part::Directive(name, argument) => {
                rendered.html.push_str(&directive(name, argument).unwrap_or_default());
            }
        }
    }
    rendered.minutes = n_words.div_ceil(WORDS_PER_MINUTE).max(1);
    rendered
}

enum Part<'a> {
    Text(&'a str),
    Directive(&'a str, &'a str),
}

fn split_directives(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut from = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let inner = line.trim().strip_prefix("::").and_then(|rest| rest.strip_suffix("::"));
        if let Some(inner) = inner {
            parts.push(Part::Text(&text[from..at]));
            let (name, argument) = inner.trim().split_once(' ').unwrap_or((inner.trim(), ""));
            parts.push(Part::Directive(name, argument.trim()));
            from = at + line.len();
        }
        at += line.len();
    }
    parts.push(Part::Text(&text[from..]));
    parts
}

/// Raw HTML becomes text.
fn inert(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        other => other,
    }
}

fn with_heading_ids<'a>(
    mut events: Vec<Event<'a>>,
    contents: &mut Vec<(String, String)>,
) -> Vec<Event<'a>> {
    let mut open: Option<usize> = None;
    let mut words = String::new();
    for at in 0..events.len() {
        match &events[at] {
            Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }) => {
                open = Some(at);
                words.clear();
            }
            Event::Text(text) | Event::Code(text) if open.is_some() => words.push_str(text),
            Event::End(TagEnd::Heading(HeadingLevel::H2)) => {
                let slug = slug(&words);
                if let Some(start) = open.take()
                    && let Event::Start(Tag::Heading { id, .. }) = &mut events[start]
                {
                    *id = Some(CowStr::from(slug.clone()));
                }
                contents.push((slug, words.clone()));
            }
            _ => {}
        }
    }
    events
}

fn slug(words: &str) -> String {
    let lower = words.to_lowercase();
    let parts = lower.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_html_is_shown_and_not_run() {
        let rendered =
            render("a <script>alert(1)</script> b\n\n<img src=x onerror=y>\n", &|_, _| None);
        assert!(
            !rendered.html.contains("<script>") && !rendered.html.contains("<img"),
            "{}",
            rendered.html
        );
    }

    #[test]
    fn headings_are_listed_and_directives_stand_alone() {
        let text = "## One thing\n\nx\n\n::figure map | A map::\n\n## Another\n";
        let rendered = render(text, &|name, argument| Some(format!("[{name}:{argument}]")));
        assert!(rendered.html.contains("<h2 id=\"one-thing\">One thing</h2>"));
        assert!(rendered.html.contains("[figure:map | A map]"));
        assert_eq!(rendered.contents.len(), 2);
        assert_eq!(rendered.minutes, 1);
    }
}
