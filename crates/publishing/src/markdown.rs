//! Markdown to HTML: CommonMark with tables, footnotes and heading links; raw HTML is shown as text, never passed through.

use pulldown_cmark::{Alignment, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// Words read in a minute, for the reading time.
const WORDS_PER_MINUTE: usize = 220;

/// A table with this many columns or more may stand as a list of its rows on a phone.
const COLUMNS_AS_ROWS: usize = 3;

/// Ids that the frame and the templates use themselves.
const IDS_TAKEN: [&str; 6] = ["main", "contents", "share", "related", "programmes", "invite"];

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

/// Renders Markdown; `directive` gives the HTML of a line `::name argument::` that stands alone.
///
/// # Errors
/// Every fault, each a sentence with its remedy: what the directives say, and pictures, which are not served.
pub fn render(
    text: &str,
    directive: &dyn Fn(&str, &str) -> Result<String, String>,
) -> Result<Rendered, Vec<String>> {
    let mut page = Page::default();
    let mut n_words = 0;
    for part in split_directives(text) {
        match part {
            Part::Text(markdown) => {
                n_words += markdown.split_whitespace().count();
                page.push(markdown);
            }
            Part::Directive(name, argument) => match directive(name, argument) {
                Ok(html) => page.rendered.html.push_str(&html),
                Err(fault) => page.faults.push(fault),
            },
        }
    }
    page.close_sources();
    page.rendered.minutes = n_words.div_ceil(WORDS_PER_MINUTE).max(1);
    if page.faults.is_empty() { Ok(page.rendered) } else { Err(page.faults) }
}

/// Renders a line of Markdown without a paragraph around it.
#[must_use]
pub fn render_line(text: &str) -> String {
    let rendered = render(text, &|_, _| Ok(String::new())).unwrap_or_default();
    let html = rendered.html.trim();
    html.strip_prefix("<p>").and_then(|h| h.strip_suffix("</p>")).unwrap_or(html).to_owned()
}

/// Typewriter quotation marks and apostrophes as print has them, in text that is not Markdown.
#[must_use]
pub fn with_marks(text: &str) -> String {
    let mut before = ' ';
    let marks = text.chars().map(|c| {
        let opens = before.is_whitespace() || matches!(before, '(' | '[' | '“' | '‘');
        before = match c {
            '"' => {
                if opens {
                    '“'
                } else {
                    '”'
                }
            }
            '\'' => {
                if opens {
                    '‘'
                } else {
                    '’'
                }
            }
            other => other,
        };
        before
    });
    marks.collect()
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

/// A text under way.
#[derive(Default)]
struct Page {
    rendered: Rendered,
    faults: Vec<String>,
    /// Whether the list of sources is open.
    in_sources: bool,
    n_tables: usize,
}

impl Page {
    fn push(&mut self, markdown: &str) {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_SMART_PUNCTUATION
            | Options::ENABLE_STRIKETHROUGH;
        let mut events: Vec<Event<'_>> = Parser::new_ext(markdown, options).map(inert).collect();
        self.refuse_pictures(&events);
        self.name_headings(&mut events);
        let events = self.wrap_tables(events);
        html::push_html(&mut self.rendered.html, events.into_iter());
    }

    fn refuse_pictures(&mut self, events: &[Event<'_>]) {
        for event in events {
            if let Event::Start(Tag::Image { dest_url, .. }) = event {
                self.faults.push(format!(
                    "the picture \"{dest_url}\" cannot be shown. Put an SVG into figures and write \
                     ::figure NAME | CAPTION:: on a line of its own."
                ));
            }
        }
    }

    /// Gives second-level headings an id that nothing else on the page has, and lists them.
    fn name_headings(&mut self, events: &mut Vec<Event<'_>>) {
        let mut open: Option<usize> = None;
        let mut words = String::new();
        let mut sources_at = Vec::new();
        for at in 0..events.len() {
            match &events[at] {
                Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }) => {
                    open = Some(at);
                    words.clear();
                }
                Event::Text(text) | Event::Code(text) if open.is_some() => words.push_str(text),
                Event::End(TagEnd::Heading(HeadingLevel::H2)) => {
                    let id = self.fresh_id(&words);
                    if let Some(start) = open.take() {
                        if let Event::Start(Tag::Heading { id: named, .. }) = &mut events[start] {
                            *named = Some(CowStr::from(id.clone()));
                        }
                        sources_at.push((start, at, words == "Sources"));
                    }
                    self.rendered.contents.push((id, words.clone()));
                }
                _ => {}
            }
        }
        self.mark_sources(events, &sources_at);
    }

    /// What follows the heading "Sources" is set smaller, up to the next heading.
    fn mark_sources(&mut self, events: &mut Vec<Event<'_>>, headings: &[(usize, usize, bool)]) {
        let mut inserted = 0;
        for (start, end, is_sources) in headings {
            if self.in_sources {
                events.insert(start + inserted, Event::Html(CowStr::from("</div>\n")));
                inserted += 1;
            }
            if *is_sources {
                let open = Event::Html(CowStr::from("<div class=\"sources\">\n"));
                events.insert(end + 1 + inserted, open);
                inserted += 1;
            }
            self.in_sources = *is_sources;
        }
    }

    fn close_sources(&mut self) {
        if std::mem::take(&mut self.in_sources) {
            self.rendered.html.push_str("</div>\n");
        }
    }

    fn fresh_id(&self, words: &str) -> String {
        let slug = Some(slug(words)).filter(|slug| !slug.is_empty());
        let slug = slug.unwrap_or_else(|| String::from("part"));
        let is_taken = |id: &str| {
            IDS_TAKEN.contains(&id) || self.rendered.contents.iter().any(|(other, _)| other == id)
        };
        let numbered = (2..).map(|n| format!("{slug}-{n}"));
        let mut candidates = std::iter::once(slug.clone()).chain(numbered);
        candidates.find(|id| !is_taken(id)).unwrap_or_default()
    }

    /// A table may be wider than a phone: it stands in a region that scrolls by itself, by keyboard too. From three columns
    /// on, it may be shown there as a list of its rows, for which every cell but the first says what its column is called.
    /// A column of figures is marked by a class, since no page may style itself.
    fn wrap_tables<'a>(&mut self, events: Vec<Event<'a>>) -> Vec<Event<'a>> {
        let mut wrapped = Vec::with_capacity(events.len());
        let mut columns: Vec<Alignment> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        let (mut column, mut cell) = (0, "td");
        for event in events {
            match event {
                Event::Start(Tag::Table(alignments)) => {
                    self.n_tables += 1;
                    let rows = if alignments.len() >= COLUMNS_AS_ROWS { " rows" } else { "" };
                    let open = format!(
                        "<div class=\"table{rows}\" role=\"region\" aria-label=\"Table {}\" tabindex=\"0\">",
                        self.n_tables
                    );
                    wrapped.push(Event::Html(CowStr::from(open)));
                    let plain = vec![Alignment::None; alignments.len()];
                    wrapped.push(Event::Start(Tag::Table(plain)));
                    (columns, names) = (alignments, Vec::new());
                }
                Event::End(TagEnd::Table) => {
                    wrapped.push(Event::End(TagEnd::Table));
                    wrapped.push(Event::Html(CowStr::from("</div>\n")));
                }
                Event::Start(Tag::TableHead | Tag::TableRow) => {
                    (column, cell) =
                        (0, if event == Event::Start(Tag::TableHead) { "th" } else { "td" });
                    wrapped.push(event);
                }
                Event::Start(Tag::TableCell) => {
                    let scope = if cell == "th" { " scope=\"col\"" } else { "" };
                    let is_number = columns.get(column) == Some(&Alignment::Right);
                    let class = if is_number { " class=\"number\"" } else { "" };
                    let name = names.get(column).filter(|_| cell == "td" && column > 0);
                    let name = name.map(|name| format!(" data-column=\"{name}\""));
                    let name = name.filter(|_| columns.len() >= COLUMNS_AS_ROWS);
                    column += 1;
                    if cell == "th" {
                        names.push(String::new());
                    }
                    let open = format!("<{cell}{scope}{class}{}>", name.unwrap_or_default());
                    wrapped.push(Event::Html(CowStr::from(open)));
                }
                Event::Text(ref text) if cell == "th" && !names.is_empty() => {
                    if let Some(name) = names.last_mut() {
                        name.push_str(&in_attribute(text));
                    }
                    wrapped.push(event);
                }
                Event::End(TagEnd::TableCell) => {
                    wrapped.push(Event::Html(CowStr::from(format!("</{cell}>"))));
                }
                other => wrapped.push(other),
            }
        }
        wrapped
    }
}

fn in_attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// Raw HTML becomes text, a link that is not to a page or an address leads nowhere, and the page's own title stays its
/// only first-level heading.
fn inert(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::Heading { level: HeadingLevel::H1, id, classes, attrs }) => {
            Event::Start(Tag::Heading { level: HeadingLevel::H2, id, classes, attrs })
        }
        Event::End(TagEnd::Heading(HeadingLevel::H1)) => {
            Event::End(TagEnd::Heading(HeadingLevel::H2))
        }
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = if is_harmless(&dest_url) { dest_url } else { CowStr::from("#main") };
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        other => other,
    }
}

/// Whether an address has no scheme, or one that only leads somewhere.
fn is_harmless(url: &str) -> bool {
    let scheme = url.split(['/', '?', '#']).next().and_then(|start| start.split_once(':'));
    scheme.is_none_or(|(scheme, _)| {
        ["http", "https", "mailto", "tel"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
    })
}

fn slug(words: &str) -> String {
    let lower = words.to_lowercase();
    let parts = lower.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        render(text, &|_, _| Err(String::from("no directives here"))).unwrap().html
    }

    #[test]
    fn raw_html_is_shown_and_not_run() {
        let html = html("a <script>alert(1)</script> b\n\n<img src=x onerror=y>\n");
        assert!(!html.contains("<script>") && !html.contains("<img"), "{html}");
    }

    #[test]
    fn links_lead_somewhere_and_run_nothing() {
        assert!(html("[a](/privacy#x)").contains("href=\"/privacy#x\""));
        assert!(html("[a](mailto:a@example.org)").contains("href=\"mailto:a@example.org\""));
        assert!(html("[a](JavaScript:alert)").contains("href=\"#main\""));
        assert!(html("[a](data:text/html,x)").contains("href=\"#main\""));
    }

    #[test]
    fn headings_are_listed_and_directives_stand_alone() {
        let text = "## One thing\n\nx\n\n::figure map | A map::\n\n## One thing\n\n# Share\n";
        let directive = |name: &str, argument: &str| Ok(format!("[{name}:{argument}]"));
        let rendered = render(text, &directive).unwrap();
        assert!(rendered.html.contains("<h2 id=\"one-thing\">One thing</h2>"));
        assert!(rendered.html.contains("[figure:map | A map]"));
        assert!(rendered.html.contains("<h2 id=\"share-2\">Share</h2>"), "{}", rendered.html);
        let ids: Vec<&str> = rendered.contents.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, ["one-thing", "one-thing-2", "share-2"]);
        assert_eq!(rendered.minutes, 1);
    }

    #[test]
    fn sources_are_set_apart_up_to_the_next_heading() {
        let set = "<div class=\"sources\">\n<ul>\n<li>a</li>\n</ul>\n</div>\n";
        assert!(html("## Sources\n\n- a\n").ends_with(set));
        assert!(html("## Sources\n\n- a\n\n## Thanks\n").contains(&format!("{set}<h2")));
    }

    #[test]
    fn a_table_scrolls_by_itself_and_its_figures_have_a_class() {
        let html = html("| what | r |\n|---|---:|\n| a | 1 |\n");
        assert!(html.contains("role=\"region\"") && html.contains("tabindex=\"0\""));
        assert!(html.contains("<th scope=\"col\" class=\"number\">r</th>"), "{html}");
        assert!(html.contains("<td>a</td><td class=\"number\">1</td>"), "{html}");
        assert!(!html.contains("style="));
    }

    #[test]
    fn each_cell_of_a_broad_table_says_its_column_but_for_the_first() {
        let html = html("| a | b \\& c | d |\n|---|---|---|\n| 1 | 2 | 3 |\n");
        assert!(html.contains("<div class=\"table rows\""), "{html}");
        let row = "<td>1</td><td data-column=\"b &amp; c\">2</td><td data-column=\"d\">3</td>";
        assert!(html.contains(row), "{html}");
    }

    #[test]
    fn marks_are_as_print_has_them() {
        assert_eq!(with_marks("the group's \"yes\" (\"no\")"), "the group’s “yes” (“no”)");
    }

    #[test]
    fn faults_are_told_together() {
        let faults = render("![x](a.png)\n\n::bad thing::\n", &|_, _| Err("bad".into()));
        assert_eq!(faults.unwrap_err().len(), 2);
        assert_eq!(render_line("a *b* “c”"), "a <em>b</em> “c”");
    }
}
