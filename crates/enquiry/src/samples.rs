//! Every page and mail of getting in touch, in every state worth looking at.

use std::sync::Arc;

use audience::Contact;
use base::house::House;
use base::http::{Chrome, FormErrors, SEND};
use base::samples::{ID, NOW_MS, Sample, SampleError, Shown};

use crate::mail;
use crate::model::{Enquiry, Topic, reference};
use crate::pages::{ContactPage, Values};
use crate::sent::{SentPage, title};

const PROFILE: &str = "How they see themselves. Questionnaire two-approaches 0.1.0, quick form; every figure is provisional.\n\
     Managing: about 67 in 100 chances taken, likely 57 to 76.\n\
     Leading: about 36 in 100 chances taken, likely 27 to 47.\n\
     The odds of each region of the map:\n\
     Mostly order: 74 %.\n\
     Mostly fresh insight: fewer than 1 in 100.\n\
     Both, often: fewer than 1 in 100.\n\
     Both, less often so far: 26 %.";

/// The samples of this capability.
#[must_use]
pub fn samples() -> Vec<Sample> {
    let sample = |name, render| Sample { group: "enquiry", name, render };
    vec![
        sample("contact", |house| form(house, Values::default(), None, &[])),
        sample("contact-programme", |house| form(house, about_a_programme(), None, &[])),
        sample("contact-report", |house| form(house, about_a_result(), Some(PROFILE), &[])),
        sample("contact-error", |house| form(house, half_filled(), None, &FAULTS)),
        sample("contact-error-report", |house| {
            form(house, half_filled(), Some(PROFILE), &EVERY_FAULT)
        }),
        sample("sent", |house| sent(house, false)),
        sample("sent-complaint", |house| sent(house, true)),
        sample("mail-provider", |house| to_provider(house, Topic::Programme, "", true)),
        sample("mail-provider-result", |house| to_provider(house, Topic::Result, PROFILE, false)),
        sample("mail-provider-complaint", |house| to_provider(house, Topic::Complaint, "", false)),
        sample("mail-receipt", |house| receipt(house, Topic::Programme, "")),
        sample("mail-receipt-result", |house| receipt(house, Topic::Result, PROFILE)),
        sample("mail-receipt-complaint", |house| receipt(house, Topic::Complaint, "")),
    ]
}

const FAULTS: [(&str, &str); 2] = [
    ("email", "Write one email address, such as name@example.org"),
    ("message", "Write a message"),
];
const EVERY_FAULT: [(&str, &str); 9] = [
    ("name", "Write your name, as you would like to be greeted"),
    ("email", "Write one email address, such as name@example.org"),
    ("phone", "Write the telephone number on one line, in at most 40 characters"),
    ("organisation", "Write the organisation on one line, in at most 120 characters"),
    ("topic", "Choose what it is about"),
    ("programme", "Choose one of the programmes, or none"),
    ("message", "Shorten the message to 5,000 characters. It has 7,312 now"),
    ("attach", "Tick this box or leave it empty"),
    (SEND, "That was quicker than we expect of a person. Please check it and send it again."),
];

fn about_a_programme() -> Values {
    Values {
        topic: Topic::Programme.as_str().to_owned(),
        programme: String::from("first-ninety-days"),
        ..Values::default()
    }
}

fn about_a_result() -> Values {
    Values {
        topic: Topic::Result.as_str().to_owned(),
        report: String::from("sample"),
        ..Values::default()
    }
}

fn half_filled() -> Values {
    Values { name: "Ada Byron".to_owned(), email: "ada@".to_owned(), ..Values::default() }
}

fn form(
    house: &Arc<House>,
    values: Values,
    profile: Option<&str>,
    faults: &[(&str, &str)],
) -> Result<Shown, SampleError> {
    let mut errors = FormErrors::default();
    faults.iter().for_each(|(field, message)| errors.add(field, *message));
    let contact = &house.site.contact;
    let programmes = [
        ("first-ninety-days".to_owned(), "The first ninety days".to_owned()),
        ("reading-the-situation".to_owned(), "Reading the situation".to_owned()),
    ];
    let chrome = Chrome::new(house, &contact.heading, "/contact", false);
    Shown::page(&ContactPage {
        chrome: chrome.with_errors(!errors.is_empty()),
        contact,
        errors,
        values,
        programmes: &programmes,
        profile: profile.map(str::to_owned),
        submit_id: String::from("sample"),
    })
}

fn sent(house: &Arc<House>, is_complaint: bool) -> Result<Shown, SampleError> {
    Shown::page(&SentPage {
        chrome: Chrome::new(house, title(is_complaint), "/contact/sent/sample", false),
        reference: reference(ID),
        is_complaint,
        promise: &house.site.contact.reply_promise,
    })
}

fn enquiry(topic: Topic, profile: &str) -> Enquiry {
    Enquiry {
        id: ID.to_owned(),
        name: String::from("Ada Byron"),
        address: String::from("ada@example.org"),
        address_key: String::from("ada@example.org"),
        phone: String::from("01632 960 002"),
        organisation: String::new(),
        topic: topic.as_str().to_owned(),
        programme: String::new(),
        message: String::from(
            "We have two new supervisors from January.\n\nIs six half-days enough?",
        ),
        profile: profile.to_owned(),
        state: String::from("new"),
        created_ms: NOW_MS,
    }
}

fn to_provider(
    house: &Arc<House>,
    topic: Topic,
    profile: &str,
    has_receipt: bool,
) -> Result<Shown, SampleError> {
    let programme = if topic == Topic::Programme { "The first ninety days" } else { "" };
    let letter = mail::to_provider(house, &enquiry(topic, profile), programme, has_receipt)?;
    Ok(Shown::letter(letter))
}

fn receipt(house: &Arc<House>, topic: Topic, profile: &str) -> Result<Shown, SampleError> {
    let contact = Contact {
        state: String::from("pending"),
        confirmed_ms: None,
        ..audience::sample_contact()
    };
    Ok(Shown::letter(mail::receipt(house, &enquiry(topic, profile), &contact)?))
}
