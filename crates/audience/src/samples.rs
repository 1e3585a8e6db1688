//! Every page and mail about what may be done with an address, in every state worth looking at.

use std::sync::Arc;

use base::house::House;
use base::http::{Chrome, FormErrors};
use base::samples::{ID, NOW_MS, Sample, SampleError, Shown, TOKEN};

use crate::mail;
use crate::model::{Contact, receipt};
use crate::pages::{
    ASK_TITLE, AskPage, AskedPage, Choice, ErasePage, ErasedPage, ExportPage, PreferencesPage,
    UnsubscribePage, UnsubscribedPage,
};

const ADDRESS: &str = "ada@example.org";

/// The samples of this capability.
#[must_use]
pub fn samples() -> Vec<Sample> {
    let sample = |name, render| Sample { group: "data", name, render };
    vec![
        sample("unsubscribe", |house| unsubscribe(house, true, false, &every_label(house))),
        sample("unsubscribe-one", |house| unsubscribe(house, true, true, &["Newsletter".into()])),
        sample("unsubscribe-stopped", |house| unsubscribe(house, true, true, &[])),
        sample("unsubscribe-nothing", |house| unsubscribe(house, true, false, &[])),
        sample("unsubscribe-pending", |house| unsubscribe(house, false, false, &[])),
        sample("unsubscribed", |house| unsubscribed(house, true)),
        sample("unsubscribed-one", |house| unsubscribed(house, false)),
        sample("preferences", |house| preferences(house, false, false)),
        sample("preferences-saved", |house| preferences(house, true, false)),
        sample("preferences-error", |house| preferences(house, false, true)),
        sample("export", export),
        sample("erase", |house| erase(house, false, false)),
        sample("erase-research", |house| erase(house, true, false)),
        sample("erase-error", |house| erase(house, false, true)),
        sample("erased", |house| {
            let chrome = chrome(house, "Erased", false);
            Shown::page(&ErasedPage { chrome, receipt: receipt(ID) })
        }),
        sample("ask", |house| ask(house, "", false)),
        sample("ask-error", |house| ask(house, "ada@", true)),
        sample("asked", |house| {
            let chrome = chrome(house, "Look in your inbox", false);
            Shown::page(&AskedPage { chrome, sender: house.mail_from.clone() })
        }),
        sample("mail-preferences", |house| Ok(Shown::letter(mail::letter(house, &contact())?))),
    ]
}

fn chrome(house: &House, title: &str, has_errors: bool) -> Chrome {
    Chrome::new(house, title, "/preferences", false).with_errors(has_errors)
}

fn errors(field: &str, message: &str, is_wrong: bool) -> FormErrors {
    let mut errors = FormErrors::default();
    if is_wrong {
        errors.add(field, message);
    }
    errors
}

fn every_label(house: &House) -> Vec<String> {
    house.site.purposes.values().map(|purpose| purpose.label.clone()).collect()
}

fn unsubscribe(
    house: &Arc<House>,
    is_confirmed: bool,
    is_one: bool,
    what: &[String],
) -> Result<Shown, SampleError> {
    Shown::page(&UnsubscribePage {
        chrome: chrome(house, UnsubscribePage::title(what, is_confirmed, is_one), false),
        token: TOKEN.to_owned(),
        what: what.to_vec(),
        is_confirmed,
        is_one,
    })
}

fn unsubscribed(house: &Arc<House>, is_all: bool) -> Result<Shown, SampleError> {
    Shown::page(&UnsubscribedPage {
        chrome: chrome(house, "Done", false),
        is_all,
        purpose: String::from("Newsletter"),
        is_confirmed: is_all,
    })
}

fn preferences(house: &Arc<House>, is_saved: bool, is_wrong: bool) -> Result<Shown, SampleError> {
    let purposes = house.site.purposes.iter().enumerate();
    let choices = purposes.map(|(at, (id, purpose))| Choice {
        id: id.clone(),
        wording: purpose.wording.clone(),
        summary: purpose.summary.clone(),
        is_on: at == 0,
    });
    Shown::page(&PreferencesPage {
        chrome: chrome(house, "Your preferences", is_wrong),
        token: TOKEN.to_owned(),
        address: ADDRESS.to_owned(),
        submit_id: TOKEN.to_owned(),
        choices: choices.collect(),
        is_saved,
        errors: errors(
            "main",
            "This page was open for too long. Your choices are kept: please save again",
            is_wrong,
        ),
    })
}

fn export(house: &Arc<House>) -> Result<Shown, SampleError> {
    Shown::page(&ExportPage {
        chrome: chrome(house, "Get a copy of your data", false),
        token: TOKEN.to_owned(),
        address: ADDRESS.to_owned(),
    })
}

fn erase(house: &Arc<House>, keeps_research: bool, is_wrong: bool) -> Result<Shown, SampleError> {
    Shown::page(&ErasePage {
        chrome: chrome(house, "Erase everything about you", is_wrong),
        token: TOKEN.to_owned(),
        address: ADDRESS.to_owned(),
        keeps_research,
        submit_id: TOKEN.to_owned(),
        errors: errors(
            "main",
            "This page was open for too long. Nothing was erased: please press again",
            is_wrong,
        ),
    })
}

fn ask(house: &Arc<House>, email: &str, is_wrong: bool) -> Result<Shown, SampleError> {
    Shown::page(&AskPage {
        chrome: chrome(house, ASK_TITLE, is_wrong),
        submit_id: TOKEN.to_owned(),
        email: email.to_owned(),
        errors: errors("email", "Write one email address, such as name@example.org", is_wrong),
    })
}

/// The person of every capability's samples, confirmed.
#[must_use]
pub fn contact() -> Contact {
    Contact {
        id: ID.to_owned(),
        address: ADDRESS.to_owned(),
        address_key: ADDRESS.to_owned(),
        name: String::from("Ada Byron"),
        organisation: String::new(),
        role: String::new(),
        phone: String::new(),
        state: String::from("confirmed"),
        nonce: TOKEN.to_owned(),
        created_ms: NOW_MS,
        confirmed_ms: Some(NOW_MS),
    }
}
