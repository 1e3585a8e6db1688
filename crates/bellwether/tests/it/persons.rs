//! What the persons of the tests do more than once: sign up, open a mail, answer, finish.

use axum::http::StatusCode;

use crate::app::{TestApp, field, location};

/// A person needs more than two seconds for a form.
pub const READING_MS: i64 = 3_000;
/// The starter quiz.
pub const QUIZ: &str = "/quiz/leader-type";
const ORIGIN: &str = "http://127.0.0.1:8080";

/// The path of one of our own absolute links.
pub fn path(url: &str) -> String {
    url.strip_prefix(ORIGIN).unwrap().to_owned()
}

/// The path of the first link in a mail that starts with `prefix`, if there is one.
pub fn link(text: &str, prefix: &str) -> Option<String> {
    let full = format!("{ORIGIN}{prefix}");
    text.lines().find(|line| line.starts_with(&full)).map(path)
}

impl TestApp {
    /// Fills in the quiz's form and sends it; gives where it leads.
    pub async fn sign_up(&self, name: &str, email: &str, more: &[(&str, &str)]) -> String {
        let (_, page) = self.get(QUIZ).await;
        self.house.clock.advance(READING_MS);
        let submit_id = field(&page, "submit_id");
        let mut fields = vec![("submit_id", submit_id.as_str()), ("name", name), ("email", email)];
        fields.extend_from_slice(more);
        let (response, _) = self.post(QUIZ, &fields).await;
        location(&response)
    }

    /// The path of the newest link of that kind in a mail to `email`.
    pub async fn mailed(&self, email: &str, prefix: &str) -> String {
        let mails = self.mails().await;
        let mut to_them = mails.iter().rev().filter(|mail| mail.to_address == email);
        to_them.find_map(|mail| link(&mail.body_text, prefix)).unwrap()
    }

    /// Presses the button behind a mailed link.
    pub async fn press(&self, link: &str) -> String {
        let (response, page) = self.get(link).await;
        assert_eq!(response.status(), StatusCode::OK, "{page}");
        let confirms = field(&page, "confirms");
        let (response, _) = self.post(link, &[("go", "start"), ("confirms", &confirms)]).await;
        location(&response)
    }

    /// Signs up, opens the mail and presses the button; gives the link.
    pub async fn begin(&self, email: &str) -> String {
        self.sign_up("Ada", email, &[]).await;
        let link = self.mailed(email, "/s/").await;
        self.press(&link).await;
        link
    }

    /// Presses the button of a quiz that does not ask first; gives the browser's link.
    pub async fn begin_at_once(&self) -> String {
        let (_, page) = self.get(QUIZ).await;
        self.house.clock.advance(READING_MS);
        let submit_id = field(&page, "submit_id");
        location(&self.post(QUIZ, &[("submit_id", &submit_id)]).await.0)
    }

    /// Fills in the details that stand at `path`; gives where the form leads.
    pub async fn give_details(&self, path: &str, email: &str) -> String {
        let (response, page) = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{page}");
        self.house.clock.advance(READING_MS);
        let submit_id = field(&page, "submit_id");
        let fields = [("submit_id", submit_id.as_str()), ("name", "Ada"), ("email", email)];
        location(&self.post(path, &fields).await.0)
    }

    /// Answers every page with what `choose` gives for an item, and stops at the review.
    pub async fn answer_all(&self, link: &str, choose: impl Fn(&str) -> Option<i64>) {
        let mut page = location(&self.get(link).await.0);
        while !page.ends_with("/review") {
            let (response, html) = self.get(&page).await;
            assert_eq!(response.status(), StatusCode::OK, "{page}");
            let mut fields = vec![(String::from("go"), String::from("next"))];
            fields.push((String::from("blank"), String::from("1")));
            for id in items(&html) {
                fields.extend(choose(&id).map(|value| (format!("a.{id}"), value.to_string())));
            }
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            page = location(&self.post(page.split(['?', '#']).next().unwrap(), &fields).await.0);
        }
    }

    /// Presses the last button; gives the path of the report.
    pub async fn finish(&self, link: &str) -> String {
        location(&self.post(&format!("{link}/finish"), &[("go", "next")]).await.0)
    }

    /// One number out of the database, to see what a page does not show.
    pub async fn count(&self, table: &str) -> i64 {
        let counts = [
            ("contact", CONTACTS),
            ("sitting", SITTINGS),
            ("message", MESSAGES),
            ("response", RESPONSES),
            ("signup", SIGNUPS),
            ("profile", PROFILES),
            ("consent", CONSENTS),
        ];
        let statement = counts.iter().find(|(name, _)| *name == table).unwrap().1;
        let mut reader = self.house.db.reader().await.unwrap();
        base::fetch!(fetch_one => (i64,), &mut reader, statement).unwrap().0
    }

    /// Everything that a GET could have changed, as numbers and states.
    pub async fn fingerprint(&self) -> Vec<String> {
        let mut seen = Vec::new();
        let mut reader = self.house.db.reader().await.unwrap();
        for sitting in assessment::by_state(&mut reader, "").await.unwrap() {
            seen.push(format!("{sitting:?}"));
        }
        for contact in audience::by_state(&mut reader, "").await.unwrap() {
            seen.push(format!("{contact:?}"));
        }
        drop(reader);
        for table in ["message", "response", "signup", "profile", "consent"] {
            seen.push(format!("{table} {}", self.count(table).await));
        }
        seen
    }
}

base::statements! {
    CONTACTS = "SELECT count(*) FROM contact";
    SITTINGS = "SELECT count(*) FROM sitting";
    MESSAGES = "SELECT count(*) FROM message";
    RESPONSES = "SELECT count(*) FROM response";
    SIGNUPS = "SELECT count(*) FROM signup";
    PROFILES = "SELECT count(*) FROM profile";
    CONSENTS = "SELECT count(*) FROM consent";
}

/// The ids of the items that a page asks.
pub fn items(html: &str) -> Vec<String> {
    let ids = html.split("<fieldset class=\"question\" id=\"q-").skip(1);
    ids.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

/// The answer of somebody who mostly keeps order: managing behaviours often and their lapses seldom, leading the other way.
pub fn orderly(item: &str) -> Option<i64> {
    let managing = ["plan", "monitor", "coordinate", "consistency", "authority"];
    let (facet, key) = item.rsplit_once('-').unwrap();
    Some(match (managing.contains(&facet), key.starts_with('f')) {
        (true, true) => 5,
        (true, false) => 1,
        (false, true) => 2,
        (false, false) => 4,
    })
}
