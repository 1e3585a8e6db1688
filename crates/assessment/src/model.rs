//! Types and decisions, pure: where a sitting stands, what a sign-up asks, which page comes next.

use base::address::{EmailAddress, parse_line, parse_name};
use base::clock::DAY_MS;
use base::http::{FormBody, FormErrors, SEND};
use base::site::{Gate, Site};
use serde::{Deserialize, Serialize};

use crate::quiz::Quiz;
use crate::scoring::Answers;

/// A mailed link starts a sitting, or claims a result, this long after it was asked for.
pub const LINK_LIFE_MS: i64 = 7 * DAY_MS;
/// What nobody confirmed or claimed is deleted after this long.
pub const UNCLAIMED_LIFE_MS: i64 = 14 * DAY_MS;
/// Characters of the organisation and of the role.
const LINE_CHARS_MAX: usize = 100;
/// Characters of a telephone number.
const PHONE_CHARS_MAX: usize = 40;
/// This many like answers in a row, and no other, are worth a second look.
const STRAIGHT_LINE_MIN: usize = 8;
/// What `sitting.details` holds once the person is gone and only their answers were left for research.
pub const BLANKED: &str = "{}";

/// How far a sitting has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Asked for, not begun.
    Invited,
    /// Under way.
    Started,
    /// Scored.
    Finished,
}

impl State {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Started => "started",
            Self::Finished => "finished",
        }
    }

    /// Reads [`State::as_str`] back.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Invited, Self::Started, Self::Finished].into_iter().find(|s| s.as_str() == word)
    }
}

/// What a person said of themself on the form, kept with the sitting until they confirm it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The contact that the form named. First, as the store finds there whose details beside an unclaimed result are.
    pub contact_id: String,
    /// Name.
    pub name: String,
    /// Organisation, or empty.
    #[serde(default)]
    pub organisation: String,
    /// Role, or empty.
    #[serde(default)]
    pub role: String,
    /// Telephone number, or empty.
    #[serde(default)]
    pub phone: String,
    /// The purposes whose boxes were ticked.
    pub purposes: Vec<String>,
    /// Where the form stood.
    pub form_url: String,
}

/// The fields of the details form, as typed.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// `submit_id`, as it came.
    pub submit_id: String,
    /// `name`.
    pub name: String,
    /// `email`.
    pub email: String,
    /// `level`.
    pub level: String,
    /// `organisation`.
    pub organisation: String,
    /// `role`.
    pub role: String,
    /// `phone`.
    pub phone: String,
    /// The ids of the ticked purposes.
    pub purposes: Vec<String>,
}

/// A details form without fault.
#[derive(Clone, Debug)]
pub struct SignUp {
    /// Who.
    pub name: String,
    /// Where to.
    pub address: EmailAddress,
    /// A level of `site.toml`, or empty.
    pub level: String,
    /// Organisation, or empty.
    pub organisation: String,
    /// Role, or empty.
    pub role: String,
    /// Telephone number, or empty.
    pub phone: String,
    /// The purposes whose boxes were ticked.
    pub purposes: Vec<String>,
}

impl Typed {
    /// Takes the fields of a form as they are.
    #[must_use]
    pub fn from_form(form: &FormBody) -> Self {
        let text = |name: &str| form.get(name).to_owned();
        let ticked = form.with_prefix("purpose.").filter(|(_, value)| !value.is_empty());
        Self {
            submit_id: text("submit_id"),
            name: text("name"),
            email: text("email"),
            level: text("level"),
            organisation: text("organisation"),
            role: text("role"),
            phone: text("phone"),
            purposes: ticked.map(|(id, _)| id.to_owned()).collect(),
        }
    }

    /// Whether the box of that purpose was ticked.
    #[must_use]
    pub fn has_ticked(&self, purpose: &str) -> bool {
        self.purposes.iter().any(|id| id == purpose)
    }

    /// Reads the form; every fault goes into `errors`.
    #[must_use]
    pub fn check(
        &self,
        site: &Site,
        quiz: &base::site::Quiz,
        errors: &mut FormErrors,
    ) -> Option<SignUp> {
        let name = parse_name(&self.name).map_err(|what| errors.add("name", what)).ok();
        let address =
            EmailAddress::parse(&self.email).map_err(|what| errors.add("email", what)).ok();
        if !self.level.is_empty() && site.level_label(&self.level).is_none() {
            errors.add("level", "Choose one of the levels in the list, or leave it open");
        }
        let mut line = |field: &str, text: &str, chars_max| {
            parse_line(text, chars_max).map_err(|what| errors.add(field, what)).unwrap_or_default()
        };
        let organisation = line("organisation", &self.organisation, LINE_CHARS_MAX);
        let role = line("role", &self.role, LINE_CHARS_MAX);
        let phone = line("phone", &self.phone, PHONE_CHARS_MAX);
        if let Some(unknown) = self.purposes.iter().find(|id| !quiz.purposes.contains(id)) {
            let shown: String = unknown.chars().take(40).collect();
            errors.add(
                SEND,
                format!(
                    "This form has no box called “{shown}”. Open the page afresh and send it again"
                ),
            );
        }
        let mut purposes: Vec<String> = quiz.purposes.clone();
        purposes.retain(|id| self.has_ticked(id));
        if !errors.is_empty() {
            return None;
        }
        let level = self.level.clone();
        Some(SignUp { name: name?, address: address?, level, organisation, role, phone, purposes })
    }
}

/// Which fields of the details form a quiz asks for, so that others are refused.
#[must_use]
pub fn known_fields(quiz: &base::site::Quiz) -> Vec<&'static str> {
    let asked = [
        ("level", quiz.ask_level),
        ("organisation", quiz.ask_organisation),
        ("role", quiz.ask_role),
        ("phone", quiz.ask_phone),
    ];
    let asked = asked.into_iter().filter(|(_, is_asked)| *is_asked).map(|(name, _)| name);
    ["name", "email", "submit_id", "website"].into_iter().chain(asked).collect()
}

/// Where a sitting under way goes on: the first page with an open question, or the review.
#[must_use]
pub fn next_page(quiz: &Quiz, answers: &Answers) -> Option<usize> {
    let items = quiz.form.items();
    let open = items.iter().position(|item| !answers.contains_key(item.id().as_str()));
    open.map(|position| quiz.page_of(position))
}

/// How many questions of a page have no answer.
#[must_use]
pub fn n_blank(quiz: &Quiz, n_page: usize, answers: &Answers) -> usize {
    let items = quiz.page(n_page).iter();
    items.filter(|item| !answers.contains_key(item.id().as_str())).count()
}

/// Whether every answer is the same, over enough questions to be worth a second look.
#[must_use]
pub fn is_straight_line(answers: &Answers) -> bool {
    let mut values = answers.values();
    let first = values.next();
    answers.len() >= STRAIGHT_LINE_MIN && values.all(|value| Some(value) == first)
}

/// What a form of questions asks to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// The next page.
    Next,
    /// The page before.
    Back,
    /// The review.
    Review,
}

impl Go {
    /// Reads the button's value; anything unknown goes on.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "back" => Self::Back,
            "review" => Self::Review,
            _ => Self::Next,
        }
    }
}

/// The answers of a form that may be saved, and what is wrong with the others. An item counts once (its last answer) and a
/// fault is told once: a form of thousands of fields costs no more than one of twenty.
#[must_use]
pub fn read_answers(quiz: &Quiz, form: &FormBody) -> (Vec<(String, i64)>, FormErrors) {
    let (mut answers, mut errors) = (Answers::new(), FormErrors::default());
    for (id, text) in form.with_prefix("a.") {
        let Some(item) = quiz.form.item(instrument::Voice::Own, id) else {
            let what = "One of the answers belongs to a question that this quiz does not ask. It was left out; the others are saved";
            if errors.of("").is_none() {
                errors.add("", what);
            }
            continue;
        };
        match text.parse::<i64>().ok().filter(|&value| item.category(value).is_ok()) {
            Some(value) => {
                answers.insert(id.to_owned(), value);
            }
            None if errors.of(&format!("q-{id}")).is_none() => errors.add(
                &format!("q-{id}"),
                format!("Choose one of the answers shown for: {}", crate::quiz::statement(item)),
            ),
            None => {}
        }
    }
    (answers.into_iter().collect(), errors)
}

/// Whether the gate asks for details before the first question.
#[must_use]
pub fn asks_first(gate: Gate) -> bool {
    gate == Gate::First
}

/// A number as words begin a sentence with it, up to twenty; figures beyond.
#[must_use]
pub fn in_words(n: usize) -> String {
    const WORDS: [&str; 21] = [
        "No",
        "One",
        "Two",
        "Three",
        "Four",
        "Five",
        "Six",
        "Seven",
        "Eight",
        "Nine",
        "Ten",
        "Eleven",
        "Twelve",
        "Thirteen",
        "Fourteen",
        "Fifteen",
        "Sixteen",
        "Seventeen",
        "Eighteen",
        "Nineteen",
        "Twenty",
    ];
    WORDS.get(n).map_or_else(|| n.to_string(), |word| (*word).to_owned())
}
