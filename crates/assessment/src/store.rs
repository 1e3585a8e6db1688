//! SQL of sign-ups, sittings, answers and profiles; nothing else.

use base::clock::DAY_MS;
use base::db::{DbError, Queries, Tx};

use crate::model::{BLANKED, Details, State};
use crate::scoring::{Answers, Profile};

base::statements! {
    SITTING = "SELECT id, contact_id, quiz, state, gate, details, level, start_nonce, report_nonce, report_hidden, created_ms, started_ms, finished_ms, claimed_ms FROM sitting WHERE id = $1";
    SIGNUP = "SELECT id, quiz, contact_id, sitting_id, message_id, created_ms FROM signup WHERE id = $1";
    HOLD_SIGNUP = "INSERT INTO signup (id, quiz, created_ms, asked_ms) VALUES ($1, '', $2, $2) ON CONFLICT (id) DO UPDATE SET contact_id = signup.contact_id, sitting_id = signup.sitting_id, created_ms = signup.created_ms, asked_ms = excluded.asked_ms";
    HAS_SIGNUP = "SELECT count(*) FROM signup WHERE sitting_id = $1";
    ADD_SIGNUP = "INSERT INTO signup (id, quiz, contact_id, sitting_id, message_id, created_ms) VALUES ($1, $2, $3, coalesce($4, (SELECT id FROM sitting WHERE contact_id = $3 AND quiz = $2 AND state = 'invited')), $5, $6)";
    RENEW_SIGNUP = "UPDATE signup SET message_id = $2, created_ms = $3 WHERE id = $1";
    INVITE = "INSERT INTO sitting (id, contact_id, quiz, instrument_id, instrument_hash, form_id, gate, state, details, level, start_nonce, report_nonce, report_hidden, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, 'invited', $8, $9, $10, $11, FALSE, $12) ON CONFLICT (contact_id, quiz) WHERE state = 'invited' AND contact_id IS NOT NULL DO UPDATE SET contact_id = excluded.contact_id, quiz = excluded.quiz, state = excluded.state, details = excluded.details, level = excluded.level, created_ms = excluded.created_ms";
    BEGIN_UNLINKED = "INSERT INTO sitting (id, quiz, instrument_id, instrument_hash, form_id, gate, state, details, level, start_nonce, report_nonce, report_hidden, created_ms, started_ms) VALUES ($1, $2, $3, $4, $5, $6, 'started', '', '', $7, $8, FALSE, $9, $9)";
    SET_DETAILS = "UPDATE sitting SET details = $2, details_contact_id = $3, level = $4 WHERE id = $1 AND contact_id IS NULL";
    START = "UPDATE sitting SET state = 'started', started_ms = $2 WHERE id = $1 AND state = 'invited'";
    CLAIM = "UPDATE sitting SET contact_id = $2, claimed_ms = $3 WHERE id = $1 AND contact_id IS NULL";
    HOLD_STARTED = "UPDATE sitting SET state = 'started' WHERE id = $1 AND state = 'started'";
    FINISH = "UPDATE sitting SET state = 'finished', finished_ms = $2, instrument_hash = $3 WHERE id = $1 AND state = 'started'";
    SAVE = "INSERT INTO response (sitting_id, item_id, answer, at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (sitting_id, item_id) DO UPDATE SET answer = excluded.answer, at_ms = excluded.at_ms";
    ANSWERS = "SELECT item_id, answer FROM response WHERE sitting_id = $1 ORDER BY item_id";
    ADD_PROFILE = "INSERT INTO profile (sitting_id, engine, scores, created_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (sitting_id) DO NOTHING";
    PROFILE = "SELECT scores FROM profile WHERE sitting_id = $1";
    ROTATE = "UPDATE sitting SET report_nonce = $2 WHERE id = $1";
    SET_HIDDEN = "UPDATE sitting SET report_hidden = $2 WHERE id = $1";
    DELETE_SITTING = "DELETE FROM sitting WHERE id = $1";
    DELETE_SIGNUPS_OF_SITTING = "DELETE FROM signup WHERE sitting_id = $1";
    OF_CONTACT = "SELECT id, contact_id, quiz, state, gate, details, level, start_nonce, report_nonce, report_hidden, created_ms, started_ms, finished_ms, claimed_ms FROM sitting WHERE contact_id = $1 ORDER BY created_ms, id";
    FINISHED_OF_CONTACT = "SELECT id FROM sitting WHERE contact_id = $1 AND state = 'finished' ORDER BY id";
    COPY_SITTING = "INSERT INTO sitting (id, quiz, instrument_id, instrument_hash, form_id, gate, state, details, level, start_nonce, report_nonce, report_hidden, created_ms, started_ms, finished_ms) SELECT $1, quiz, instrument_id, instrument_hash, form_id, gate, state, $2, level, '', '', TRUE, finished_ms / $4 * $4, finished_ms / $4 * $4, finished_ms / $4 * $4 FROM sitting WHERE id = $3";
    COPY_ANSWERS = "INSERT INTO response (sitting_id, item_id, answer, at_ms) SELECT $1, item_id, answer, at_ms / $3 * $3 FROM response WHERE sitting_id = $2";
    COPY_PROFILE = "INSERT INTO profile (sitting_id, engine, scores, created_ms) SELECT $1, engine, scores, created_ms / $3 * $3 FROM profile WHERE sitting_id = $2";
    ERASE = "DELETE FROM sitting WHERE contact_id = $1";
    GIVEN_UNCLAIMED = "SELECT details FROM sitting WHERE contact_id IS NULL AND details_contact_id = $1 AND id IN (SELECT sitting_id FROM signup WHERE contact_id = $1) ORDER BY id";
    ERASE_GIVEN = "UPDATE sitting SET details = '', details_contact_id = NULL, level = '' WHERE contact_id IS NULL AND details_contact_id = $1 AND id IN (SELECT sitting_id FROM signup WHERE contact_id = $1)";
    ERASE_SIGNUPS = "DELETE FROM signup WHERE contact_id = $1";
    RETAIN_INVITED = "DELETE FROM sitting WHERE state = 'invited' AND created_ms < $1 AND NOT EXISTS (SELECT 1 FROM signup WHERE signup.sitting_id = sitting.id AND signup.created_ms >= $1)";
    RETAIN_UNCLAIMED = "DELETE FROM sitting WHERE contact_id IS NULL AND details <> $2 AND created_ms < $1";
    RETAIN_SIGNUPS = "DELETE FROM signup WHERE created_ms < $1 AND (contact_id IS NULL OR sitting_id IS NULL OR NOT EXISTS (SELECT 1 FROM sitting WHERE sitting.id = signup.sitting_id))";
    BY_STATE = "SELECT sitting.id, sitting.quiz, sitting.state, sitting.gate, sitting.level, sitting.created_ms, sitting.started_ms, sitting.finished_ms, (SELECT count(*) FROM response WHERE response.sitting_id = sitting.id) AS n_answers FROM sitting WHERE $1 = '' OR sitting.state = $1 ORDER BY sitting.created_ms, sitting.id";
}

/// One person taking one form once.
#[derive(Clone, Debug)]
pub struct Sitting {
    /// Its id.
    pub id: String,
    /// Whose it is; nothing until it is claimed.
    pub contact_id: Option<String>,
    /// The quiz's slug.
    pub quiz: String,
    /// How far it has come.
    pub state: State,
    /// When the quiz asked for details, as stored.
    pub gate: String,
    /// What the person said of themself; nothing if they were not asked yet.
    pub details: Option<Details>,
    /// The level of leading they gave, or empty.
    pub level: String,
    /// Makes and revokes the link to the questions.
    pub start_nonce: String,
    /// Makes and revokes the link to the report.
    pub report_nonce: String,
    /// Whether the report is hidden.
    pub report_hidden: bool,
    /// When it was asked for.
    pub created_ms: i64,
    /// When it was begun.
    pub started_ms: Option<i64>,
    /// When it was scored.
    pub finished_ms: Option<i64>,
    /// When somebody claimed its result from their inbox.
    pub claimed_ms: Option<i64>,
}

#[derive(base::db::FromRow)]
struct SittingRow {
    id: String,
    contact_id: Option<String>,
    quiz: String,
    state: String,
    gate: String,
    details: String,
    level: String,
    start_nonce: String,
    report_nonce: String,
    report_hidden: bool,
    created_ms: i64,
    started_ms: Option<i64>,
    finished_ms: Option<i64>,
    claimed_ms: Option<i64>,
}

impl TryFrom<SittingRow> for Sitting {
    type Error = DbError;

    fn try_from(row: SittingRow) -> Result<Self, DbError> {
        let wrong =
            |what: String| DbError::Inconsistent { table: "sitting", row: row.id.clone(), what };
        let state = State::from_word(&row.state)
            .ok_or_else(|| wrong(format!("the state {:?} is unknown", row.state)))?;
        let details = match row.details.as_str() {
            "" | BLANKED => None,
            json => {
                Some(serde_json::from_str(json).map_err(|e| wrong(format!("its details: {e}")))?)
            }
        };
        Ok(Self {
            state,
            details,
            id: row.id,
            contact_id: row.contact_id,
            quiz: row.quiz,
            gate: row.gate,
            level: row.level,
            start_nonce: row.start_nonce,
            report_nonce: row.report_nonce,
            report_hidden: row.report_hidden,
            created_ms: row.created_ms,
            started_ms: row.started_ms,
            finished_ms: row.finished_ms,
            claimed_ms: row.claimed_ms,
        })
    }
}

/// A sign-up form as acknowledged.
#[derive(Clone, Debug, base::db::FromRow)]
pub struct Signup {
    /// Its id, part of the redirect and of the mailed link.
    pub id: String,
    /// The quiz's slug.
    pub quiz: String,
    /// Whom it named; nothing for an address that must not be written to.
    pub contact_id: Option<String>,
    /// The sitting it invites to or claims.
    pub sitting_id: Option<String>,
    /// The mail that carries its link, once one was queued.
    pub message_id: Option<String>,
    /// When the link was last asked for.
    pub created_ms: i64,
}

/// A sitting to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewSitting<'a> {
    /// A fresh id.
    pub id: &'a str,
    /// The quiz's slug.
    pub quiz: &'a str,
    /// The instrument's id.
    pub instrument_id: &'a str,
    /// SHA-256 of its text.
    pub instrument_hash: &'a str,
    /// The form's id.
    pub form_id: &'a str,
    /// As stored.
    pub gate: &'a str,
    /// Makes the link to the questions.
    pub start_nonce: &'a str,
    /// Makes the link to the report.
    pub report_nonce: &'a str,
}

/// A sitting as the operator's list shows it.
#[derive(Clone, Debug, base::db::FromRow)]
pub struct SittingSummary {
    /// Its id.
    pub id: String,
    /// The quiz's slug.
    pub quiz: String,
    /// `invited`, `started` or `finished`.
    pub state: String,
    /// When details are asked for.
    pub gate: String,
    /// The level given, or empty.
    pub level: String,
    /// When it was asked for, UTC milliseconds.
    pub created_ms: i64,
    /// When it was begun.
    pub started_ms: Option<i64>,
    /// When it was scored.
    pub finished_ms: Option<i64>,
    /// Answers saved.
    pub n_answers: i64,
}

/// Every sitting, or those in `state`, oldest first.
///
/// # Errors
/// If the database fails.
pub async fn by_state(on: &mut impl Queries, state: &str) -> Result<Vec<SittingSummary>, DbError> {
    base::fetch!(fetch_all => SittingSummary, on, BY_STATE, state)
}

pub(crate) async fn sitting(on: &mut impl Queries, id: &str) -> Result<Option<Sitting>, DbError> {
    let row = base::fetch!(fetch_optional => SittingRow, on, SITTING, id)?;
    row.map(Sitting::try_from).transpose()
}

pub(crate) async fn of_contact(
    on: &mut impl Queries,
    contact_id: &str,
) -> Result<Vec<Sitting>, DbError> {
    let rows = base::fetch!(fetch_all => SittingRow, on, OF_CONTACT, contact_id)?;
    rows.into_iter().map(Sitting::try_from).collect()
}

pub(crate) async fn signup(on: &mut impl Queries, id: &str) -> Result<Option<Signup>, DbError> {
    base::fetch!(fetch_optional => Signup, on, SIGNUP, id)
}

/// Adds a sign-up. Without a sitting of its own it names the open invitation of its contact, if it has a contact.
pub(crate) async fn add_signup(tx: &mut Tx, signup: &Signup) -> Result<(), DbError> {
    let Signup { id, quiz, contact_id, sitting_id, message_id, created_ms } = signup;
    base::later!(tx, ADD_SIGNUP, id, quiz, contact_id, sitting_id, message_id, created_ms)
}

/// Notes that the mail of a sign-up was asked for again, so that two presses wait for each other, and gives the sign-up. One
/// that is not there is made, without contact, so that it costs the same: undo that.
pub(crate) async fn hold_signup(tx: &mut Tx, id: &str, now_ms: i64) -> Result<Signup, DbError> {
    base::later!(tx, HOLD_SIGNUP, id, now_ms)?;
    base::fetch!(fetch_one => Signup, tx, SIGNUP, id)
}

/// Whether the result of a sitting was asked for, at whatever address.
pub(crate) async fn has_signup(on: &mut impl Queries, sitting_id: &str) -> Result<bool, DbError> {
    base::fetch!(fetch_one => (i64,), on, HAS_SIGNUP, sitting_id).map(|(n,)| n > 0)
}

/// The link of a sign-up counts from now again, in a new mail.
pub(crate) async fn renew(
    tx: &mut Tx,
    signup_id: &str,
    message_id: &str,
    now_ms: i64,
) -> Result<(), DbError> {
    base::later!(tx, RENEW_SIGNUP, signup_id, message_id, now_ms)
}

/// Makes the contact's one open invitation to the quiz, or brings its details up to date. Either way the row and every entry
/// of its indexes is written, so that the time does not tell which.
pub(crate) async fn invite(
    tx: &mut Tx,
    new: &NewSitting<'_>,
    details: &Details,
    level: &str,
    now_ms: i64,
) -> Result<(), DbError> {
    let NewSitting { id, quiz, instrument_id, instrument_hash, form_id, gate, .. } = *new;
    let (contact_id, json) = (&details.contact_id, to_json(details, id)?);
    base::later!(
        tx,
        INVITE,
        id,
        contact_id,
        quiz,
        instrument_id,
        instrument_hash,
        form_id,
        gate,
        &json,
        level,
        new.start_nonce,
        new.report_nonce,
        now_ms,
    )
}

/// Begins a sitting that belongs to nobody yet.
pub(crate) async fn begin_unlinked(
    tx: &mut Tx,
    new: &NewSitting<'_>,
    now_ms: i64,
) -> Result<(), DbError> {
    let NewSitting { id, quiz, instrument_id, instrument_hash, form_id, gate, .. } = *new;
    base::execute!(
        tx,
        BEGIN_UNLINKED,
        id,
        quiz,
        instrument_id,
        instrument_hash,
        form_id,
        gate,
        new.start_nonce,
        new.report_nonce,
        now_ms,
    )
    .map(|_| ())
}

/// Keeps what the latest form said beside a sitting, unless somebody has claimed it.
pub(crate) async fn set_details(
    tx: &mut Tx,
    sitting_id: &str,
    details: &Details,
    level: &str,
) -> Result<(), DbError> {
    let json = to_json(details, sitting_id)?;
    base::later!(tx, SET_DETAILS, sitting_id, &json, &details.contact_id, level)
}

/// From invited to started; false if it had been started before.
pub(crate) async fn start(tx: &mut Tx, sitting_id: &str, now_ms: i64) -> Result<bool, DbError> {
    base::execute!(tx, START, sitting_id, now_ms).map(|n| n == 1)
}

/// Gives a sitting that belongs to nobody to a contact; false if it belongs to somebody.
pub(crate) async fn claim(
    tx: &mut Tx,
    sitting_id: &str,
    contact_id: &str,
    now_ms: i64,
) -> Result<bool, DbError> {
    base::execute!(tx, CLAIM, sitting_id, contact_id, now_ms).map(|n| n == 1)
}

/// Saves answers while the sitting is under way; false, and nothing saved, if it is not.
pub(crate) async fn save(
    tx: &mut Tx,
    sitting_id: &str,
    answers: &[(String, i64)],
    now_ms: i64,
) -> Result<bool, DbError> {
    // Writing the row to itself keeps a scoring that runs at the same time from missing these.
    if base::execute!(tx, HOLD_STARTED, sitting_id)? == 0 {
        return Ok(false);
    }
    for (item_id, value) in answers {
        base::later!(tx, SAVE, sitting_id, item_id, value, now_ms)?;
    }
    Ok(true)
}

/// From started to finished; false if it had been finished before.
pub(crate) async fn finish(
    tx: &mut Tx,
    sitting_id: &str,
    instrument_hash: &str,
    now_ms: i64,
) -> Result<bool, DbError> {
    base::execute!(tx, FINISH, sitting_id, now_ms, instrument_hash).map(|n| n == 1)
}

pub(crate) async fn answers(on: &mut impl Queries, sitting_id: &str) -> Result<Answers, DbError> {
    let rows = base::fetch!(fetch_all => (String, i64), on, ANSWERS, sitting_id)?;
    Ok(rows.into_iter().collect())
}

pub(crate) async fn add_profile(
    tx: &mut Tx,
    sitting_id: &str,
    profile: &Profile,
    now_ms: i64,
) -> Result<(), DbError> {
    let json = to_json(profile, sitting_id)?;
    base::execute!(tx, ADD_PROFILE, sitting_id, &profile.engine, &json, now_ms).map(|_| ())
}

pub(crate) async fn profile(
    on: &mut impl Queries,
    sitting_id: &str,
) -> Result<Option<Profile>, DbError> {
    let Some((json,)) = base::fetch!(fetch_optional => (String,), on, PROFILE, sitting_id)? else {
        return Ok(None);
    };
    serde_json::from_str(&json).map(Some).map_err(|e| DbError::Inconsistent {
        table: "profile",
        row: sitting_id.to_owned(),
        what: e.to_string(),
    })
}

/// Gives the report a new link; the old one stops.
pub(crate) async fn rotate(tx: &mut Tx, sitting_id: &str, nonce: &str) -> Result<(), DbError> {
    base::execute!(tx, ROTATE, sitting_id, nonce).map(|_| ())
}

pub(crate) async fn set_hidden(tx: &mut Tx, sitting_id: &str, hidden: bool) -> Result<(), DbError> {
    base::execute!(tx, SET_HIDDEN, sitting_id, hidden).map(|_| ())
}

/// Deletes a sitting with its answers, profile and sign-ups.
pub(crate) async fn delete(tx: &mut Tx, sitting_id: &str) -> Result<(), DbError> {
    base::execute!(tx, DELETE_SITTING, sitting_id)?;
    base::execute!(tx, DELETE_SIGNUPS_OF_SITTING, sitting_id).map(|_| ())
}

/// Answers that stay for research are as of a stretch of this many days: an exact time could be laid beside a mail server's
/// log.
const RESEARCH_STRETCH_MS: i64 = 30 * DAY_MS;

/// Leaves a copy of every finished sitting of a contact for research, with nothing that leads to the person: ids of `new_id`
/// (the old ones hold the time of the sign-up, and so does whatever else was made with it), no link, no details, coarse times.
pub(crate) async fn unlink(
    tx: &mut Tx,
    contact_id: &str,
    new_id: impl Fn() -> String,
) -> Result<(), DbError> {
    let finished = base::fetch!(fetch_all => (String,), tx, FINISHED_OF_CONTACT, contact_id)?;
    for (old,) in finished {
        let new = new_id();
        base::execute!(tx, COPY_SITTING, &new, BLANKED, &old, RESEARCH_STRETCH_MS)?;
        base::execute!(tx, COPY_ANSWERS, &new, &old, RESEARCH_STRETCH_MS)?;
        base::execute!(tx, COPY_PROFILE, &new, &old, RESEARCH_STRETCH_MS)?;
    }
    Ok(())
}

/// What forms said of a contact beside results that nobody has claimed: theirs, though the answers may be anybody's.
pub(crate) async fn given_unclaimed(
    on: &mut impl Queries,
    contact_id: &str,
) -> Result<Vec<Details>, DbError> {
    let rows = base::fetch!(fetch_all => (String,), on, GIVEN_UNCLAIMED, contact_id)?;
    let read = |(json,): (String,)| {
        serde_json::from_str(&json).map_err(|e| DbError::Inconsistent {
            table: "sitting of contact",
            row: contact_id.to_owned(),
            what: e.to_string(),
        })
    };
    rows.into_iter().map(read).collect()
}

/// Deletes what a contact answered and was invited to, and what was said of them beside a result that nobody has claimed.
pub(crate) async fn erase(tx: &mut Tx, contact_id: &str) -> Result<(), DbError> {
    base::execute!(tx, ERASE, contact_id)?;
    base::execute!(tx, ERASE_GIVEN, contact_id)?;
    base::execute!(tx, ERASE_SIGNUPS, contact_id).map(|_| ())
}

/// Deletes what nobody began or claimed before `before_ms`; gives the number of sittings.
pub(crate) async fn retain(tx: &mut Tx, before_ms: i64) -> Result<u64, DbError> {
    let n_invited = base::execute!(tx, RETAIN_INVITED, before_ms)?;
    let n_unclaimed = base::execute!(tx, RETAIN_UNCLAIMED, before_ms, BLANKED)?;
    base::execute!(tx, RETAIN_SIGNUPS, before_ms)?;
    Ok(n_invited + n_unclaimed)
}

fn to_json(value: &impl serde::Serialize, sitting_id: &str) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|e| DbError::Inconsistent {
        table: "sitting",
        row: sitting_id.to_owned(),
        what: e.to_string(),
    })
}
