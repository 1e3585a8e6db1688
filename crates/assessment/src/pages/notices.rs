//! Pages that say how things stand, with at most one button.

use askama::Template;
use base::http::{Chrome, Visit};

use crate::quiz::Quiz;

/// How things stand.
#[derive(Template)]
#[template(path = "notice.html")]
pub(super) struct NoticePage {
    chrome: Chrome,
    standfirst: String,
    paragraphs: Vec<&'static str>,
    /// What makes two presses of the button one, if its effect does not.
    submit_id: Option<String>,
    /// One button: where it posts, the value of `go` or `do`, its words.
    button: Option<(String, &'static str, &'static str)>,
    /// A link: where it leads, its words.
    link: Option<(String, &'static str)>,
}

impl NoticePage {
    fn new(visit: &Visit, title: &str, standfirst: &str) -> Self {
        Self {
            chrome: visit.chrome(title),
            standfirst: standfirst.to_owned(),
            paragraphs: Vec::new(),
            submit_id: None,
            button: None,
            link: None,
        }
    }
}

/// The link to a sitting that is over; `is_mailed` if the link came by mail.
pub(super) fn finished(visit: &Visit, token: &str, quiz: &Quiz, is_mailed: bool) -> NoticePage {
    let mut page = NoticePage::new(
        visit,
        "You have finished this quiz",
        "Your answers are fixed, and your report is made.",
    );
    page.link = Some((format!("/quiz/{}", quiz.slug), "Take the quiz again"));
    if is_mailed {
        page.paragraphs.push("The link to the report is in the mail “Your report is ready”.");
        page.button = Some((format!("/s/{token}"), "report", "Send me that mail again"));
    } else {
        page.paragraphs.push("Its link was shown when you finished. This one leads no further.");
    }
    page
}

/// A link that ran out before it was used.
pub(super) fn expired(visit: &Visit, token: &str) -> NoticePage {
    let mut page = NoticePage::new(
        visit,
        "This link has run out",
        "It worked for seven days. You can have a new one sent to the same address.",
    );
    page.button = Some((format!("/s/{token}"), "again", "Send me a new link"));
    page
}

/// A link to a result that was then asked for at another address.
pub(super) fn replaced(visit: &Visit, quiz: &Quiz) -> NoticePage {
    let mut page = NoticePage::new(
        visit,
        "This result went to another address",
        "After this mail was sent, the same result was asked for at another address. Nothing was done with yours.",
    );
    page.link = Some((format!("/quiz/{}", quiz.slug), "Take the quiz yourself"));
    page
}

/// A report that its owner has hidden.
pub(super) fn hidden(visit: &Visit, token: &str, submit_id: String) -> NoticePage {
    let mut page = NoticePage::new(
        visit,
        "This report is hidden",
        "Its owner has hidden it. It can be opened again with a new link, which goes to the owner's address only.",
    );
    page.submit_id = Some(submit_id);
    page.button = Some((format!("/r/{token}"), "reveal", "Send the owner a new link"));
    page
}

/// Where asking for a new link to a hidden report leads.
pub(super) fn on_its_way(visit: &Visit) -> NoticePage {
    NoticePage::new(
        visit,
        "A new link is on its way",
        "If the report has an owner whose address we may write to, a new link goes there. The old one no longer opens it.",
    )
}

/// Where a deletion leads.
pub(super) fn deleted(visit: &Visit) -> NoticePage {
    let mut page = NoticePage::new(
        visit,
        "The result is deleted",
        "Your answers and the report are gone, and its link no longer opens anything.",
    );
    page.paragraphs.push(
        "Your address stays on record with what you agreed to. To see or erase that, use the preferences link in any mail.",
    );
    page
}
