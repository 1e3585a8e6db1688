//! What the operator may list, since there is no staff console yet.

use base::clock::rfc_3339;
use base::db::{DbError, Reader};

use crate::table::Table;

/// A kind of record that can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// The states that a record may be in.
    pub states: &'static [&'static str],
    columns: &'static [&'static str],
    /// The columns again, those first that are wanted most on a narrow terminal.
    by_importance: &'static [&'static str],
}

/// Everything that can be listed.
pub const LISTS: [List; 4] = [
    List {
        name: "contacts",
        about: "Persons we may write to (confirmed) or have asked (pending)",
        states: &["pending", "confirmed"],
        columns: &[
            "id",
            "state",
            "address",
            "name",
            "organisation",
            "role",
            "phone",
            "asked",
            "confirmed",
        ],
        by_importance: &[
            "state",
            "address",
            "name",
            "asked",
            "organisation",
            "confirmed",
            "role",
            "phone",
            "id",
        ],
    },
    List {
        name: "enquiries",
        about: "Who got in touch, and about what",
        states: &["new", "answered"],
        columns: &[
            "id",
            "state",
            "came",
            "topic",
            "programme",
            "name",
            "address",
            "phone",
            "organisation",
            "message",
            "profile",
        ],
        by_importance: &[
            "state",
            "came",
            "name",
            "message",
            "address",
            "topic",
            "programme",
            "phone",
            "organisation",
            "profile",
            "id",
        ],
    },
    List {
        name: "messages",
        about: "Mails: queued, sent, and those that could not be delivered, with the reason",
        states: &["queued", "sending", "sent", "failed", "cancelled"],
        columns: &["id", "state", "kind", "to", "attempts", "queued", "due", "sent", "last error"],
        by_importance: &[
            "id",
            "state",
            "to",
            "last error",
            "kind",
            "sent",
            "due",
            "attempts",
            "queued",
        ],
    },
    List {
        name: "sittings",
        about: "Who was invited to a quiz, has begun it or finished it; no names, no answers",
        states: &["invited", "started", "finished"],
        columns: &[
            "id", "state", "quiz", "gate", "level", "answers", "invited", "started", "finished",
        ],
        by_importance: &[
            "state", "quiz", "answers", "finished", "started", "invited", "level", "gate", "id",
        ],
    },
];

impl List {
    /// Every record, or those in `state`, oldest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn read(self, reader: &mut Reader, state: &str) -> Result<Table, DbError> {
        let rows = match self.name {
            "contacts" => contacts(reader, state).await?,
            "enquiries" => enquiries(reader, state).await?,
            "messages" => messages(reader, state).await?,
            _ => sittings(reader, state).await?,
        };
        Ok(Table { header: self.columns, by_importance: self.by_importance, rows })
    }
}

type Rows = Vec<Vec<String>>;

async fn contacts(reader: &mut Reader, state: &str) -> Result<Rows, DbError> {
    let contacts = audience::by_state(reader, state).await?;
    let rows = contacts.into_iter().map(|c| {
        let (asked, confirmed) = (rfc_3339(c.created_ms), time(c.confirmed_ms));
        vec![c.id, c.state, c.address, c.name, c.organisation, c.role, c.phone, asked, confirmed]
    });
    Ok(rows.collect())
}

async fn enquiries(reader: &mut Reader, state: &str) -> Result<Rows, DbError> {
    let enquiries = enquiry::by_state(reader, state).await?;
    let rows = enquiries.into_iter().map(|e| {
        let came = rfc_3339(e.created_ms);
        vec![
            e.id,
            e.state,
            came,
            e.topic,
            e.programme,
            e.name,
            e.address,
            e.phone,
            e.organisation,
            e.message,
            e.profile,
        ]
    });
    Ok(rows.collect())
}

async fn messages(reader: &mut Reader, state: &str) -> Result<Rows, DbError> {
    let messages = base::mail::by_state(reader, state).await?;
    let rows = messages.into_iter().map(|m| {
        let is_waiting = m.state == "queued" || m.state == "sending";
        let due = if is_waiting { rfc_3339(m.due_ms) } else { String::new() };
        let (attempts, queued, sent) =
            (m.n_attempts.to_string(), rfc_3339(m.created_ms), time(m.sent_ms));
        let error = m.last_error.unwrap_or_default();
        vec![m.id, m.state, m.kind, m.to_address, attempts, queued, due, sent, error]
    });
    Ok(rows.collect())
}

async fn sittings(reader: &mut Reader, state: &str) -> Result<Rows, DbError> {
    let sittings = assessment::by_state(reader, state).await?;
    let rows = sittings.into_iter().map(|s| {
        let (answers, invited) = (s.n_answers.to_string(), rfc_3339(s.created_ms));
        let (started, finished) = (time(s.started_ms), time(s.finished_ms));
        vec![s.id, s.state, s.quiz, s.gate, s.level, answers, invited, started, finished]
    });
    Ok(rows.collect())
}

fn time(at_ms: Option<i64>) -> String {
    at_ms.map(rfc_3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::LISTS;

    #[test]
    fn every_column_has_its_importance() {
        for list in LISTS {
            let (mut columns, mut by_importance) =
                (list.columns.to_vec(), list.by_importance.to_vec());
            columns.sort_unstable();
            by_importance.sort_unstable();
            assert_eq!(columns, by_importance, "{}", list.name);
        }
    }
}
