//! What others may ask of this capability: a person's export and erasure, and a result attached to an enquiry.

use audience::{Contact, Export, Holding};
use base::clock;
use base::db::{DbError, Queries, Reader, Tx};
use base::house::House;
use base::keys::{Token, Use};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::model::Details;
use crate::report::{about, chance_in_words, hundredths};
use crate::scoring::Profile;
use crate::store;

/// Sittings, answers and profiles, as held about a person.
#[must_use]
pub fn holding() -> Holding {
    Holding { export, erase, keeps }
}

/// The result behind the last segment of a report link, in a few plain lines for whoever answers an enquiry; nothing if the
/// link does not open a report.
pub fn attached<'a>(
    reader: &'a mut Reader,
    house: &'a House,
    token: &'a str,
) -> BoxFuture<'a, Result<Option<String>, DbError>> {
    Box::pin(result_of(reader, house, token))
}

async fn result_of(
    on: &mut impl Queries,
    house: &House,
    token: &str,
) -> Result<Option<String>, DbError> {
    let Some(token) = Token::parse(token) else { return Ok(None) };
    let sitting = store::sitting(on, &token.row_id).await?;
    let opens = |s: &store::Sitting| {
        house.keys.proves(Use::Report, &token, &s.report_nonce) && !s.report_hidden
    };
    let Some(sitting) = sitting.filter(opens) else { return Ok(None) };
    let profile = store::profile(on, &sitting.id).await?;
    Ok(profile.map(|profile| in_lines(&profile)))
}

fn in_lines(profile: &Profile) -> String {
    let mut lines = vec![format!(
        "How they see themselves. Questionnaire {} {}, {} form{}.",
        profile.instrument,
        profile.instrument_version,
        profile.form,
        if profile.provisional { "; every figure is provisional" } else { "" }
    )];
    let Some(scores) = &profile.scores else {
        lines.push(String::from("Not enough answers for a result."));
        return lines.join("\n");
    };
    for (name, level) in ["Managing", "Leading"].iter().zip(&scores.levels) {
        let (share, [low, high]) = (about(level.share), [level.low, level.high].map(hundredths));
        lines.push(format!("{name}: {share} in 100 chances taken, likely {low} to {high}."));
    }
    lines.push(String::from("The odds of each region of the map:"));
    for odds in &scores.regions {
        lines.push(format!("{}: {}.", odds.name, chance_in_words(odds.probability)));
    }
    lines.join("\n")
}

fn export<'a>(
    reader: &'a mut Reader,
    contact: &'a Contact,
) -> BoxFuture<'a, Result<Vec<Export>, DbError>> {
    Box::pin(async move {
        let (mut sittings, mut answers, mut profiles) = (Vec::new(), Vec::new(), Vec::new());
        let mut given = store::given_unclaimed(reader, &contact.id).await?;
        for sitting in store::of_contact(reader, &contact.id).await? {
            let at = |at_ms: Option<i64>| at_ms.map(clock::rfc_3339);
            sittings.push(json!({
                "id": sitting.id,
                "quiz": sitting.quiz,
                "state": sitting.state.as_str(),
                "level": sitting.level,
                "asked_at": clock::rfc_3339(sitting.created_ms),
                "started_at": at(sitting.started_ms),
                "finished_at": at(sitting.finished_ms),
                "claimed_at": at(sitting.claimed_ms),
                "report_hidden": sitting.report_hidden,
            }));
            given.extend(sitting.details);
            for (item, value) in store::answers(reader, &sitting.id).await? {
                answers.push(json!({ "sitting": sitting.id, "item": item, "answer": value }));
            }
            if let Some(profile) = store::profile(reader, &sitting.id).await? {
                profiles.push(json!({ "sitting": sitting.id, "profile": profile }));
            }
        }
        let file = |file: &str, rows: Vec<Value>| Export {
            file: file.to_owned(),
            json: Value::Array(rows),
        };
        Ok(vec![
            file("sittings", sittings),
            file("answers", answers),
            file("profiles", profiles),
            file("forms", given.iter().map(as_given).collect()),
        ])
    })
}

/// What a form said, as far as it is about the person.
fn as_given(details: &Details) -> Value {
    let Details { name, organisation, role, phone, purposes, form_url, .. } = details;
    json!({ "form": form_url, "name": name, "organisation": organisation, "role": role,
            "phone": phone, "purposes": purposes })
}

fn erase<'a>(
    tx: &'a mut Tx,
    house: &'a House,
    contact: &'a Contact,
    keeps_research: bool,
) -> BoxFuture<'a, Result<(), DbError>> {
    Box::pin(async move {
        if keeps_research {
            store::unlink(tx, &contact.id, || house.chance.timeless_id()).await?;
        }
        store::erase(tx, &contact.id).await
    })
}

/// What an unconfirmed contact was invited to goes with them.
fn keeps<'a>(_: &'a mut Reader, _: &'a Contact) -> BoxFuture<'a, Result<bool, DbError>> {
    Box::pin(std::future::ready(Ok(false)))
}
