//! Everything held about a person, as one archive: a JSON file for programs, tables (CSV) for people.

use std::io::{Cursor, Write as _};

use base::db::{DbError, Reader};
use serde_json::{Map, Value, json};
use zip::write::SimpleFileOptions;

use crate::model::Contact;
use crate::{Export, Holding, ledger, store};

/// Why an archive could not be made.
#[derive(Debug)]
pub(crate) enum ArchiveError {
    Db(DbError),
    Writing(String),
}

impl From<DbError> for ArchiveError {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// Gathers what every capability holds and packs it.
pub(crate) async fn make(
    reader: &mut Reader,
    contact: &Contact,
    holdings: &[Holding],
) -> Result<Vec<u8>, ArchiveError> {
    let mut exports = own(reader, contact).await?;
    for holding in holdings {
        exports.extend((holding.export)(reader, contact).await?);
    }
    pack(&exports).map_err(ArchiveError::Writing)
}

async fn own(reader: &mut Reader, contact: &Contact) -> Result<Vec<Export>, DbError> {
    let subscriptions = store::subscriptions(reader, &contact.id).await?;
    let entries = store::ledger(reader, &contact.id).await?;
    let messages = store::messages(reader, &contact.id).await?;
    let details = json!([{
        "id": contact.id, "name": contact.name, "address": contact.address,
        "organisation": contact.organisation, "role": contact.role, "phone": contact.phone,
        "state": contact.state, "created": time(Some(contact.created_ms)),
        "confirmed": time(contact.confirmed_ms),
    }]);
    let purposes = subscriptions.iter().map(
        |s| json!({ "purpose": s.purpose, "state": s.state, "changed": time(Some(s.changed_ms)) }),
    );
    let mails = messages.iter().map(|m| {
        json!({ "id": m.id, "kind": m.kind, "address": m.to_address, "state": m.state,
                "queued": time(Some(m.created_ms)), "sent": time(m.sent_ms) })
    });
    let is_whole = ledger::verify(&contact.id, &entries).is_ok();
    let ledger = serde_json::to_value(&entries).unwrap_or_default();
    Ok(vec![
        export("contact", details),
        export("purposes", purposes.collect()),
        export("consents", ledger),
        export("consents-check", json!([{ "chain_is_whole": is_whole, "entries": entries.len() }])),
        export("mails", mails.collect()),
    ])
}

fn export(file: &str, json: Value) -> Export {
    Export { file: file.to_owned(), json }
}

fn time(at_ms: Option<i64>) -> Value {
    at_ms.map_or(Value::Null, |at_ms| Value::String(base::clock::rfc_3339(at_ms)))
}

fn pack(exports: &[Export]) -> Result<Vec<u8>, String> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let everything: Map<String, Value> =
        exports.iter().map(|e| (e.file.clone(), e.json.clone())).collect();
    let everything = serde_json::to_string_pretty(&everything).map_err(|e| e.to_string())?;
    let mut add = |name: &str, body: &[u8]| {
        zip.start_file(name, options).map_err(|e| e.to_string())?;
        zip.write_all(body).map_err(|e| e.to_string())
    };
    add("everything.json", everything.as_bytes())?;
    for export in exports {
        if let Some(table) = table(&export.json)? {
            add(&format!("{}.csv", export.file), &table)?;
        }
    }
    zip.finish().map(Cursor::into_inner).map_err(|e| e.to_string())
}

/// An array of records as RFC 4180, its columns those of the first record; nothing if it is not that.
fn table(json: &Value) -> Result<Option<Vec<u8>>, String> {
    let Some(rows) = json.as_array() else { return Ok(None) };
    let Some(first) = rows.first().and_then(Value::as_object) else { return Ok(None) };
    let columns: Vec<&String> = first.keys().collect();
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![]);
    csv.write_record(&columns).map_err(|e| e.to_string())?;
    for row in rows {
        let cells = columns.iter().map(|column| cell(row.get(column.as_str())));
        csv.write_record(cells).map_err(|e| e.to_string())?;
    }
    csv.into_inner().map(Some).map_err(|e| e.to_string())
}

/// A cell that no spreadsheet takes for a formula.
fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => return other.to_string(),
    };
    base::encode::inert_cell(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_become_a_table_without_formulas() {
        let json = json!([{ "a": "=1+1", "b": 2 }, { "a": "x, y", "b": null }]);
        let table = String::from_utf8(table(&json).unwrap().unwrap()).unwrap();
        assert_eq!(table, "a,b\r\n'=1+1,2\r\n\"x, y\",\r\n");
        assert_eq!(super::table(&json!({ "not": "a table" })).unwrap(), None);
    }
}
