//! Every button of the product, pressed twice and pressed eight times at once: the same answer, and what one press does.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::clock::{DAY_MS, MINUTE_MS};

use crate::app::{TestApp, field};
use crate::persons::{QUIZ, READING_MS, orderly};
use crate::records::sizes;

const ADA: &str = "ada@example.org";
/// Presses at once.
const N_PRESSES: usize = 8;

/// A button: the route behind it, and the way to it (`gate`, then `wish`).
#[derive(Clone, Copy, Debug)]
struct Button {
    route: &'static str,
    gate: &'static str,
    wish: &'static str,
}

const fn button(route: &'static str, gate: &'static str, wish: &'static str) -> Button {
    Button { route, gate, wish }
}

const BUTTONS: [Button; 27] = [
    button("/quiz/{slug}", "first", "sign up"),
    button("/quiz/{slug}", "none", "begin"),
    button("/quiz/{slug}/sent/{id}", "first", "send it again"),
    button("/s/{token}", "first", "start"),
    button("/s/{token}", "first", "new link"),
    button("/s/{token}", "first", "report again"),
    button("/s/{token}", "last", "see my result"),
    button("/s/{token}/{page}", "first", "next"),
    button("/s/{token}/{page}", "first", "save"),
    button("/s/{token}/finish", "first", "finish"),
    button("/s/{token}/finish", "last", "finish"),
    button("/s/{token}/finish", "none", "finish"),
    button("/s/{token}/details", "last", "details"),
    button("/r/{token}", "first", "rotate"),
    button("/r/{token}", "first", "hide"),
    button("/r/{token}", "first", "reveal"),
    button("/r/{token}", "first", "delete"),
    button("/r/{token}/delete", "first", "delete"),
    button("/r/{token}/mail", "none", "details"),
    button("/u/{token}", "first", "stop"),
    button("/u/{token}", "first", "one click"),
    button("/p/{token}", "first", "save choices"),
    button("/p/{token}/export", "first", "export"),
    button("/p/{token}/erase", "first", "erase"),
    button("/preferences", "first", "ask"),
    button("/contact", "first", "write"),
    button("/contact", "first", "complain"),
];

/// A form as a browser would send it now.
#[derive(Clone, Debug)]
struct Form {
    path: String,
    fields: Vec<(String, String)>,
}

impl Form {
    /// The form on the page at `path`, its submit id and what it confirms included, sent to `action`.
    async fn on(app: &TestApp, path: &str, action: &str, fields: &[(&str, &str)]) -> Self {
        let (_, page) = app.get(path).await;
        app.house.clock.advance(READING_MS);
        let mut all: Vec<(String, String)> =
            fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        for name in ["submit_id", "confirms"] {
            let value = field(&page, name);
            if !value.is_empty() {
                all.push((name.to_owned(), value));
            }
        }
        Self { path: action.to_owned(), fields: all }
    }

    /// One press: the status, and where it leads.
    async fn press(&self, app: &TestApp) -> (u16, String) {
        let fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let headers = [
            ("host", "127.0.0.1:8080"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        let body = crate::app::encode(&fields);
        let request = http::Request::post(&self.path);
        let request = headers.iter().fold(request, |request, (n, v)| request.header(*n, *v));
        let (response, _) = app.answer(request.body(body.into()).unwrap()).await;
        let led_to = response.headers().get("location").map(|v| v.to_str().unwrap().to_owned());
        (response.status().as_u16(), led_to.unwrap_or_default())
    }
}

impl Button {
    /// The product at the moment before the button is pressed, and the form that it sends.
    async fn reach(self) -> (TestApp, Form) {
        let gate = format!("gate = \"{}\"", self.gate);
        let app = TestApp::start_with(&[("gate = \"first\"", &gate)]).await;
        let form = match self.gate {
            "first" => self.reach_by_mail(&app).await,
            _ => self.reach_unknown(&app).await,
        };
        app.mails().await;
        (app, form)
    }

    async fn reach_by_mail(self, app: &TestApp) -> Form {
        let person = [("name", "Ada"), ("email", ADA), ("purpose.newsletter", "yes")];
        match (self.route, self.wish) {
            (_, "sign up") => return Form::on(app, QUIZ, QUIZ, &person).await,
            (action, "write" | "complain") => {
                let topic = if self.wish == "write" { "general" } else { "complaint" };
                let message = [person[0], person[1], ("topic", topic), ("message", "Hello")];
                return Form::on(app, action, action, &message).await;
            }
            _ => {}
        }
        let sent = app.sign_up("Ada", ADA, &person[2..]).await;
        let link = app.mailed(ADA, "/s/").await;
        match self.wish {
            "send it again" => {
                app.house.clock.advance(11 * MINUTE_MS);
                return Form::on(app, &sent, &sent, &[]).await;
            }
            "start" => return Form::on(app, &link, &link, &[("go", "start")]).await,
            "new link" => {
                app.house.clock.advance(8 * DAY_MS);
                return Form::on(app, &link, &link, &[("go", "again")]).await;
            }
            _ => {}
        }
        app.press(&link).await;
        let first = format!("{link}/1");
        match self.wish {
            "next" => {
                let ids = crate::persons::items(&app.get(&first).await.1);
                let names: Vec<String> = ids.iter().map(|id| format!("a.{id}")).collect();
                let mut fields: Vec<(&str, &str)> =
                    names.iter().map(|name| (name.as_str(), "4")).collect();
                fields.push(("go", "next"));
                return Form::on(app, &first, &first, &fields).await;
            }
            "save" => {
                return Form::on(app, &first, &first, &[("save", "1"), ("a.plan-f1", "4")]).await;
            }
            _ => {}
        }
        app.answer_all(&link, orderly).await;
        let finish = format!("{link}/finish");
        if self.wish == "finish" {
            return Form::on(app, &format!("{link}/review"), &finish, &[("go", "next")]).await;
        }
        let report = app.finish(&link).await;
        self.reach_afterwards(app, &link, &report).await
    }

    /// Once the report is there.
    async fn reach_afterwards(self, app: &TestApp, link: &str, report: &str) -> Form {
        app.mails().await;
        let (delete, wish) = (format!("{report}/delete"), ("do", self.wish));
        match (self.route, self.wish) {
            ("/r/{token}", "reveal") => {
                Form::on(app, report, report, &[("do", "hide")]).await.press(app).await;
                app.house.clock.advance(11 * MINUTE_MS);
                Form::on(app, report, report, &[wish]).await
            }
            ("/r/{token}", _) => Form::on(app, report, report, &[wish]).await,
            ("/r/{token}/delete", _) => Form::on(app, &delete, &delete, &[]).await,
            (_, "report again") => {
                app.house.clock.advance(11 * MINUTE_MS);
                Form::on(app, link, link, &[("go", "report")]).await
            }
            (_, "ask") => Form::on(app, "/preferences", "/preferences", &[("email", ADA)]).await,
            ("/u/{token}", wish) => {
                let stop = app.mailed(ADA, "/u/").await;
                let one_click = [("List-Unsubscribe", "One-Click")];
                let fields = if wish == "stop" { &[][..] } else { &one_click[..] };
                Form::on(app, &stop, &stop, fields).await
            }
            (route, wish) => {
                let own = app.mailed(ADA, "/p/").await;
                let path = route.replace("/p/{token}", &own);
                let choice = [("purpose.contact-me", "yes")];
                let fields = if wish == "save choices" { &choice[..] } else { &[][..] };
                Form::on(app, &path, &path, fields).await
            }
        }
    }

    /// Where the quiz begins without asking who somebody is.
    async fn reach_unknown(self, app: &TestApp) -> Form {
        if self.wish == "begin" {
            return Form::on(app, QUIZ, QUIZ, &[]).await;
        }
        let link = app.begin_at_once().await;
        app.answer_all(&link, orderly).await;
        let finish = format!("{link}/finish");
        if self.wish == "finish" {
            return Form::on(app, &format!("{link}/review"), &finish, &[("go", "next")]).await;
        }
        let led_to = app.finish(&link).await;
        let path = if self.gate == "last" { led_to } else { format!("{led_to}/mail") };
        if self.wish == "details" {
            return Form::on(app, &path, &path, &[("name", "Ada"), ("email", ADA)]).await;
        }
        app.give_details(&path, ADA).await;
        let mailed = app.mailed(ADA, "/s/").await;
        Form::on(app, &mailed, &mailed, &[("go", "start")]).await
    }

    /// Presses once and again, and elsewhere many times at once.
    async fn check(self) {
        let (app, form) = self.reach().await;
        let led_to = form.press(&app).await;
        assert!([200, 204, 303].contains(&led_to.0), "{self:?}: {led_to:?}");
        let once = app.records().await;
        for _ in 0..2 {
            assert_eq!(form.press(&app).await, led_to, "{self:?}: pressed again");
            assert_eq!(app.records().await, once, "{self:?}: pressed again");
        }
        let n_mails = app.mails().await.len();
        let (app, form) = self.reach().await;
        let app = Arc::new(app);
        let mut presses = tokio::task::JoinSet::new();
        for _ in 0..N_PRESSES {
            let (app, form) = (Arc::clone(&app), form.clone());
            presses.spawn(async move { form.press(&app).await });
        }
        let answers: BTreeSet<(u16, String)> = presses.join_all().await.into_iter().collect();
        assert_eq!(answers.len(), 1, "{self:?}: pressed at once: {answers:?}");
        assert_eq!(answers.first().unwrap().0, led_to.0, "{self:?}");
        assert_eq!(sizes(&app.records().await), sizes(&once), "{self:?}: pressed at once");
        assert_eq!(app.mails().await.len(), n_mails, "{self:?}: one mail");
    }
}

async fn check_all(which: impl Fn(&Button) -> bool) {
    for button in BUTTONS.into_iter().filter(which) {
        button.check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buttons_of_a_quiz_that_asks_first() {
    check_all(|b| {
        b.gate == "first" && (b.route.starts_with("/quiz") || b.route.starts_with("/s/"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buttons_of_a_quiz_that_asks_last_or_never() {
    check_all(|button| button.gate != "first").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buttons_of_a_report() {
    check_all(|button| button.gate == "first" && button.route.starts_with("/r/")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buttons_of_mails_preferences_and_the_contact_form() {
    let routes = ["/u/{token}", "/p/{token}", "/preferences", "/contact"];
    check_all(|button| routes.iter().any(|route| button.route.starts_with(route))).await;
}

/// The routes that read no form of ours: nothing in their body counts, or the body is the mail client's.
const WITHOUT_FORM: [&str; 3] = ["/quiz/{slug}/sent/{id}", "/p/{token}/export", "/u/{token}"];

#[tokio::test]
async fn every_form_refuses_in_words_what_is_no_form_of_ours_and_changes_nothing() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let large = format!("message={}", "x".repeat(70_000));
    let wrong = [
        ("POST", "text/plain", "same-origin", "name=Ada", 415),
        ("POST", "application/json", "same-origin", "{}", 415),
        ("POST", FORM, "same-origin", large.as_str(), 413),
        ("POST", FORM, "same-origin", "name=%FF", 422),
        ("POST", FORM, "same-origin", "name=a%00b", 422),
        ("POST", FORM, "cross-site", "name=Ada", 403),
        ("PUT", FORM, "same-origin", "name=Ada", 405),
        ("DELETE", FORM, "same-origin", "", 405),
        ("PATCH", FORM, "same-origin", "name=Ada", 405),
    ];
    let mut seen = BTreeSet::new();
    for button in BUTTONS.into_iter().filter(|button| !WITHOUT_FORM.contains(&button.route)) {
        if !seen.insert(button.route) {
            continue;
        }
        let (app, form) = button.reach().await;
        let before = app.records().await;
        for (method, kind, site, body, status) in wrong {
            let headers = [("content-type", kind), ("sec-fetch-site", site)];
            let (response, page) = app.send(method, &form.path, &headers, body).await;
            assert_eq!(response.status().as_u16(), status, "{button:?} {method} {kind} {body:.9}");
            assert!(page.contains("<h1>"), "{button:?}: {page}");
            assert!(
                status != 405 || response.headers()["allow"].to_str().unwrap().contains("POST")
            );
        }
        assert_eq!(app.records().await, before, "{button:?}");
        assert!(form.press(&app).await.0 < 400, "{button:?} works after that");
    }
}

/// What the router itself says: whoever adds a form adds its button above.
#[tokio::test]
async fn there_is_no_other_button() {
    let app = TestApp::start().await;
    let told = format!("{:?}", app.router());
    let (routes, paths) = told.split_once("paths: {").unwrap();
    let id = |text: &str| text.split(')').next().unwrap().to_owned();
    let takes_post = |route: &&str| {
        let allowed = route.split("allow_header: ").nth(1).unwrap_or_default();
        allowed.split(')').next().unwrap_or_default().contains("POST")
    };
    let posts: BTreeSet<String> =
        routes.split("RouteId(").skip(1).filter(takes_post).map(id).collect();
    let path_of = |entry: &str| Some((id(entry), entry.split('"').nth(1)?.to_owned()));
    let found: BTreeSet<String> = paths
        .split("RouteId(")
        .skip(1)
        .filter_map(path_of)
        .filter(|(id, _)| posts.contains(id))
        .map(|(_, path)| path)
        .collect();
    let known: BTreeSet<String> = BUTTONS.iter().map(|button| button.route.to_owned()).collect();
    assert!(found.len() > 10, "{told}");
    assert_eq!(found, known);
}
