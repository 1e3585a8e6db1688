//! Every page and mail of the quiz in every state worth looking at.

use std::sync::Arc;

use audience::sample_contact;
use base::house::House;
use base::http::{FormErrors, SubmitFault, Visit};
use base::samples::{ID, NOW_MS, Sample, SampleError, Shown, TOKEN};
use publishing::Publication;

use super::report::{Controls, DeletePage, Opened};
use super::{Assessment, details, notices, questions, report, review, signup, start};
use crate::mail;
use crate::model::{Details, State, Typed};
use crate::quiz::{Quiz, Quizzes};
use crate::scoring::Answers;
use crate::store::{Signup, Sitting};

/// The samples of this capability.
#[must_use]
pub fn samples() -> Vec<Sample> {
    [asking(), answering(), reports(), letters()].concat()
}

fn sample(name: &'static str, render: fn(&Arc<House>) -> Result<Shown, SampleError>) -> Sample {
    Sample { group: "quiz", name, render }
}

/// Who are you, and may you come in?
fn asking() -> Vec<Sample> {
    vec![
        sample("quiz", |house| form(house, Typed::default(), &[])),
        sample("quiz-error", |house| form(house, half_filled(), &FAULTS)),
        sample("quiz-every-field", every_field),
        sample("quiz-too-many", too_many),
        sample("quiz-at-once", |house| at_once(house, &[])),
        sample("quiz-at-once-error", |house| {
            at_once(house, &[("begin", SubmitFault::Stale.message())])
        }),
        sample("sent", |house| with(house, |desk| desk.sent(true))),
        sample("sent-result", |house| with(house, |desk| desk.sent(false))),
        sample("start", |house| with(house, |desk| desk.start(false, false))),
        sample("start-changed", |house| with(house, |desk| desk.start(false, true))),
        sample("start-result", |house| with(house, |desk| desk.start(true, false))),
        sample("expired", |house| {
            with(house, |desk| Shown::page(&notices::expired(&desk.visit, TOKEN)))
        }),
        sample("replaced", |house| {
            with(house, |desk| Shown::page(&notices::replaced(&desk.visit, desk.quiz())))
        }),
    ]
}

/// The questions, and what follows the last.
fn answering() -> Vec<Sample> {
    vec![
        sample("finished", |house| {
            with(house, |desk| {
                Shown::page(&notices::finished(&desk.visit, TOKEN, desk.quiz(), true))
            })
        }),
        sample("finished-unmailed", |house| {
            with(house, |desk| {
                Shown::page(&notices::finished(&desk.visit, TOKEN, desk.quiz(), false))
            })
        }),
        sample("question", |house| with(house, |desk| desk.question(1, &Answers::new(), false))),
        sample("question-back", |house| with(house, |desk| desk.question(2, &desk.order(), false))),
        sample("question-blank", |house| with(house, |desk| desk.question(3, &desk.few(), true))),
        sample("question-error", |house| with(house, Desk::question_error)),
        sample("review", |house| with(house, |desk| desk.review(&desk.order()))),
        sample("review-notes", |house| with(house, |desk| desk.review(&desk.few()))),
        sample("details", |house| {
            with(house, |desk| desk.details(details::AFTER_QUESTIONS, false, &[]))
        }),
        sample("details-sent", |house| {
            with(house, |desk| desk.details(details::AFTER_QUESTIONS, true, &[]))
        }),
        sample("details-error", |house| {
            with(house, |desk| desk.details(details::AFTER_QUESTIONS, false, &FAULTS))
        }),
        sample("mail-it-to-me", |house| {
            with(house, |desk| desk.details(details::AFTER_REPORT, false, &[]))
        }),
    ]
}

/// The report, and what may be done with its page.
fn reports() -> Vec<Sample> {
    vec![
        sample("report-order", |house| with(house, |desk| desk.report(&desk.order(), true))),
        sample("report-insight", |house| {
            with(house, |desk| {
                desk.report(&desk.answers(|a, lapse| if (a == 0) == lapse { 4 } else { 2 }), true)
            })
        }),
        sample("report-both", |house| {
            with(house, |desk| {
                desk.report(&desk.answers(|_, lapse| if lapse { 1 } else { 5 }), true)
            })
        }),
        sample("report-less-often", |house| {
            with(house, |desk| {
                desk.report(&desk.answers(|_, lapse| if lapse { 4 } else { 2 }), true)
            })
        }),
        sample("report-between", |house| with(house, |desk| desk.report(&desk.between(), true))),
        sample("report-middle", |house| with(house, |desk| desk.report(&desk.middle(), true))),
        sample("report-too-few", |house| with(house, |desk| desk.report(&desk.few(), true))),
        sample("report-unclaimed", |house| with(house, |desk| desk.report(&desk.order(), false))),
        sample("report-stale", |house| {
            with(house, |desk| desk.noticed_report(&desk.order(), true, Some(report::STALE)))
        }),
        sample("report-sample", |house| with(house, Desk::sample_report)),
        sample("report-hidden", |house| {
            with(house, |desk| Shown::page(&notices::hidden(&desk.visit, TOKEN, TOKEN.to_owned())))
        }),
        sample("report-on-its-way", |house| {
            with(house, |desk| Shown::page(&notices::on_its_way(&desk.visit)))
        }),
        sample("delete", |house| with(house, Desk::delete)),
        sample("deleted", |house| with(house, |desk| Shown::page(&notices::deleted(&desk.visit)))),
    ]
}

fn letters() -> Vec<Sample> {
    vec![
        sample("mail-start", |house| with(house, |desk| desk.confirm_mail("first"))),
        sample("mail-see-my-result", |house| with(house, |desk| desk.confirm_mail("last"))),
        sample("mail-result", |house| {
            let letter = mail::result_letter(house, &sitting_of("first", true), &sample_contact())?;
            Ok(Shown::letter(letter))
        }),
    ]
}

const FAULTS: [(&str, &str); 3] = [
    ("name", "Write your name, as you would like to be greeted"),
    ("email", "Write one email address, such as name@example.org"),
    ("level", "Choose one of the levels in the list, or leave it open"),
];

/// What the samples are made with.
struct Desk {
    visit: Visit,
    shared: Assessment,
    slug: String,
}

fn with(
    house: &Arc<House>,
    render: impl FnOnce(&Desk) -> Result<Shown, SampleError>,
) -> Result<Shown, SampleError> {
    let quizzes = Quizzes::load(&house.source, &house.site).map_err(|faults| faults.join("; "))?;
    let publication = Publication::load(&house.source, &house.site);
    let publication = Arc::new(publication.map_err(|faults| faults.join("; "))?);
    let slug = house.site.quizzes.keys().next().ok_or("the site has no quiz")?.clone();
    let visit = Visit {
        house: Arc::clone(house),
        now_ms: NOW_MS,
        ip: std::net::Ipv4Addr::LOCALHOST.into(),
        mailbox: false,
        path: format!("/quiz/{slug}"),
    };
    let shared = Assessment { house: Arc::clone(house), quizzes, publication };
    if shared.quizzes.get(&slug).is_none() {
        return Err("the quiz was not read".into());
    }
    render(&Desk { visit, shared, slug })
}

fn form(house: &Arc<House>, typed: Typed, faults: &[(&str, &str)]) -> Result<Shown, SampleError> {
    with(house, |desk| {
        let mut page = signup::page_of(&desk.visit, desk.quiz(), typed, errors(faults));
        page.submit_id = TOKEN.to_owned();
        if let Some(form) = &mut page.form {
            form.submit_id = TOKEN.to_owned();
        }
        Shown::page(&page)
    })
}

/// The form of a quiz that asks everything that it may.
fn every_field(house: &Arc<House>) -> Result<Shown, SampleError> {
    shaped(house, FormErrors::default(), |page| {
        if let Some(form) = &mut page.form {
            (form.asks_organisation, form.asks_role, form.asks_phone) = (true, true, true);
        }
    })
}

fn too_many(house: &Arc<House>) -> Result<Shown, SampleError> {
    shaped(house, FormErrors::too_many(), |_| ())
}

/// The page of a quiz that asks for nothing before it begins.
fn at_once(house: &Arc<House>, faults: &[(&str, &str)]) -> Result<Shown, SampleError> {
    shaped(house, errors(faults), |page| page.form = None)
}

fn shaped(
    house: &Arc<House>,
    errors: FormErrors,
    shape: impl Fn(&mut signup::QuizPage<'_>),
) -> Result<Shown, SampleError> {
    with(house, |desk| {
        let mut page = signup::page_of(&desk.visit, desk.quiz(), Typed::default(), errors);
        page.submit_id = TOKEN.to_owned();
        if let Some(form) = &mut page.form {
            form.submit_id = TOKEN.to_owned();
        }
        shape(&mut page);
        Shown::page(&page)
    })
}

fn errors(faults: &[(&str, &str)]) -> FormErrors {
    let mut errors = FormErrors::default();
    faults.iter().for_each(|(field, message)| errors.add(field, *message));
    errors
}

fn half_filled() -> Typed {
    Typed {
        email: String::from("ada@example"),
        purposes: vec![String::from("newsletter")],
        ..Typed::default()
    }
}

impl Desk {
    fn quiz(&self) -> &Quiz {
        #[expect(clippy::expect_used, reason = "`with` has looked it up")]
        self.shared.quizzes.get(&self.slug).expect("looked up before")
    }

    /// Answers by approach (0 managing) and whether the item tells of a lapse.
    fn answers(&self, choose: impl Fn(usize, bool) -> i64) -> Answers {
        let ratings = self.quiz().form.items().iter().filter_map(|item| item.as_rating());
        let answer = |rating: &instrument::Rating| {
            let is_lapse = rating.key() == instrument::Key::Reverse;
            (rating.id().to_string(), choose(rating.approach().index(), is_lapse))
        };
        ratings.map(answer).collect()
    }

    fn order(&self) -> Answers {
        self.answers(|approach, is_lapse| match (approach, is_lapse) {
            (0, false) => 4,
            (0, true) => 2,
            (_, false) => 2,
            (_, true) => 4,
        })
    }

    /// Leading often, managing near the line.
    fn between(&self) -> Answers {
        self.near_the_line(1, 2)
    }

    /// Where the four regions meet.
    fn middle(&self) -> Answers {
        self.near_the_line(2, 3)
    }

    /// Often, but every `step`th answer of the first approaches is "about half the time".
    fn near_the_line(&self, n_approaches: usize, step: usize) -> Answers {
        let mut answers = self.answers(|_, is_lapse| if is_lapse { 2 } else { 4 });
        for approach in 0..n_approaches {
            let ratings = self.quiz().form.items().iter().filter_map(|item| item.as_rating());
            let of_approach = ratings.filter(|rating| rating.approach().index() == approach);
            for rating in of_approach.skip(step - 1).step_by(step) {
                answers.insert(rating.id().to_string(), 3);
            }
        }
        answers
    }

    /// The same answer to every question, and not enough of them.
    fn few(&self) -> Answers {
        self.answers(|_, _| 3)
            .into_iter()
            .enumerate()
            .filter(|(at, _)| at % 3 > 0)
            .map(|(_, a)| a)
            .collect()
    }

    fn sent(&self, asks_first: bool) -> Result<Shown, SampleError> {
        Shown::page(&signup::sent(&self.visit, self.quiz(), asks_first))
    }

    fn start(&self, is_claim: bool, has_changed: bool) -> Result<Shown, SampleError> {
        let (contact, details) = (sample_contact(), details_of());
        let quiz = self.quiz();
        let page =
            start::start_page(&self.visit, TOKEN, quiz, &contact, &details, is_claim, has_changed);
        Shown::page(&page)
    }

    fn question(
        &self,
        n_page: usize,
        answers: &Answers,
        is_blank: bool,
    ) -> Result<Shown, SampleError> {
        let blank = is_blank.then(|| questions::blank_words(self.quiz(), 2));
        let none = FormErrors::default();
        Shown::page(&questions::questions(
            &self.visit,
            TOKEN,
            self.quiz(),
            n_page,
            answers,
            blank,
            none,
        ))
    }

    fn question_error(&self) -> Result<Shown, SampleError> {
        let item = &self.quiz().page(1)[1];
        let what = format!("Choose one of the answers shown for: {}", crate::quiz::statement(item));
        let errors = errors(&[(&format!("q-{}", item.id()), &what)]);
        let answers = Answers::new();
        Shown::page(&questions::questions(
            &self.visit,
            TOKEN,
            self.quiz(),
            1,
            &answers,
            None,
            errors,
        ))
    }

    fn review(&self, answers: &Answers) -> Result<Shown, SampleError> {
        let contact = sample_contact();
        Shown::page(&review::review(
            &self.visit,
            TOKEN,
            self.quiz(),
            answers,
            Some(&contact),
            "first",
        ))
    }

    fn details(
        &self,
        standfirst: &'static str,
        is_sent: bool,
        faults: &[(&str, &str)],
    ) -> Result<Shown, SampleError> {
        let (quiz, typed) = (self.quiz(), Typed::default());
        let action = format!("/s/{TOKEN}/details");
        let errors = errors(faults);
        let mut form = details::DetailsForm::new(&self.visit, quiz, action, TOKEN, typed, errors);
        form.submit_id = TOKEN.to_owned();
        Shown::page(&details::details_page(&self.visit, form, standfirst, is_sent))
    }

    fn report(&self, answers: &Answers, is_claimed: bool) -> Result<Shown, SampleError> {
        self.noticed_report(answers, is_claimed, None)
    }

    fn sample_report(&self) -> Result<Shown, SampleError> {
        let quiz = self.quiz();
        let answers = report::sample_answers(quiz);
        let profile = quiz.scorer.score(&quiz.instrument, &quiz.form, &answers);
        let title = String::from("A sample report");
        Shown::page(&report::report(&self.shared, &self.visit, quiz, &profile, "", title))
    }

    fn noticed_report(
        &self,
        answers: &Answers,
        is_claimed: bool,
        notice: Option<&'static str>,
    ) -> Result<Shown, SampleError> {
        let quiz = self.quiz();
        let profile = quiz.scorer.score(&quiz.instrument, &quiz.form, answers);
        let sitting = sitting_of("first", true);
        let opened = Opened { token: TOKEN.to_owned(), sitting, profile };
        let mut page = report::view(&self.shared, &self.visit, quiz, &opened, notice);
        let submit_id = TOKEN.to_owned();
        page.controls = Some(Controls { token: TOKEN.to_owned(), submit_id, is_claimed });
        Shown::page(&page)
    }

    fn delete(&self) -> Result<Shown, SampleError> {
        Shown::page(&DeletePage {
            chrome: self.visit.chrome("Delete this result?"),
            token: TOKEN.to_owned(),
            submit_id: TOKEN.to_owned(),
        })
    }

    fn confirm_mail(&self, gate: &str) -> Result<Shown, SampleError> {
        let signup = Signup {
            id: ID.to_owned(),
            quiz: self.slug.clone(),
            contact_id: Some(ID.to_owned()),
            sitting_id: Some(ID.to_owned()),
            message_id: None,
            created_ms: NOW_MS,
        };
        let (sitting, contact, house) =
            (sitting_of(gate, true), sample_contact(), &self.visit.house);
        let letter =
            mail::confirm_letter(house, &self.quiz().site, &signup, &sitting, &contact, NOW_MS)?;
        Ok(Shown::letter(letter))
    }
}

fn details_of() -> Details {
    Details {
        contact_id: ID.to_owned(),
        name: String::from("Ada Byron"),
        purposes: vec![String::from("newsletter"), String::from("research")],
        ..Details::default()
    }
}

fn sitting_of(gate: &str, has_details: bool) -> Sitting {
    Sitting {
        id: ID.to_owned(),
        contact_id: Some(ID.to_owned()),
        quiz: String::new(),
        state: State::Finished,
        gate: gate.to_owned(),
        details: has_details.then(details_of),
        level: String::from("middle"),
        start_nonce: TOKEN.to_owned(),
        report_nonce: TOKEN.to_owned(),
        report_hidden: false,
        created_ms: NOW_MS,
        started_ms: Some(NOW_MS),
        finished_ms: Some(NOW_MS),
        claimed_ms: None,
    }
}
