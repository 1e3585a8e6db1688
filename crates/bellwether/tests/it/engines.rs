//! Both engines: every statement is accepted, and the two schemas are the same.

use std::collections::BTreeSet;

use base::db::{Conn, Db, Queries as _, Statement, Target};

use crate::app::TestApp;
use crate::scratch::Scratch;

/// Every catalogue of statements in the program; `cargo xtask tidy` counts them.
const CATALOGUES: &[&[Statement]] = &[
    assessment::STATEMENTS,
    audience::STATEMENTS,
    base::db::STATEMENTS,
    base::http::SUBMIT_STATEMENTS,
    base::mail::MAILBOX_STATEMENTS,
    base::mail::STATEMENTS,
    enquiry::STATEMENTS,
];

/// What both engines must agree on of a column: table, name, type, whether it may be missing.
type Column = (String, String, String, bool);

/// SQLite's columns in the words of the standard. A primary key may not be missing, though SQLite's flag does not say so.
const SQLITE_COLUMNS: &str = "SELECT m.name, p.name, lower(p.type), p.\"notnull\" = 0 AND p.pk = 0 \
     FROM sqlite_master m, pragma_table_info(m.name) p \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> '_sqlx_migrations'";

const POSTGRES_COLUMNS: &str = "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
     FROM information_schema.columns \
     WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations'";

/// The indexes that the migrations name; those behind keys have names of the engine's own making.
const SQLITE_INDEXES: &str =
    "SELECT tbl_name, name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";

const POSTGRES_INDEXES: &str = "SELECT tablename::text, indexname::text FROM pg_indexes \
     WHERE schemaname = current_schema() AND tablename <> '_sqlx_migrations' \
     AND indexname NOT LIKE '%\\_pkey' AND indexname NOT LIKE '%\\_key'";

#[tokio::test]
async fn the_engine_accepts_every_statement() {
    let app = TestApp::start().await;
    for statements in CATALOGUES {
        let refused = app.house.db.refused_statements(statements).await.unwrap();
        assert_eq!(refused, Vec::<String>::new());
    }
}

/// On SQLite alone this compares a schema with itself, so it proves something only where there is a server.
#[tokio::test]
async fn both_engines_have_the_same_tables_columns_and_indexes() {
    let scratch = Scratch::new().await;
    let file = Target::Sqlite(scratch.data().join("other.sqlite"));
    let (one, other) = (schema(&file).await, schema(&scratch.target()).await);
    assert!(one.0.iter().any(|(table, column, ..)| table == "message" && column == "due_ms"));
    assert!(one.1.contains(&("message".to_owned(), "message_due".to_owned())));
    assert_eq!(one, other);
}

async fn schema(target: &Target) -> (BTreeSet<Column>, BTreeSet<(String, String)>) {
    let db = Db::open(target).await.unwrap();
    let mut reader = db.reader().await.unwrap();
    let (columns, indexes): (Vec<Column>, Vec<(String, String)>) = match reader.conn() {
        Conn::Sqlite(conn) => (
            sqlx::query_as(SQLITE_COLUMNS).fetch_all(&mut *conn).await.unwrap(),
            sqlx::query_as(SQLITE_INDEXES).fetch_all(&mut *conn).await.unwrap(),
        ),
        Conn::Postgres(conn) => (
            sqlx::query_as(POSTGRES_COLUMNS).fetch_all(&mut *conn).await.unwrap(),
            sqlx::query_as(POSTGRES_INDEXES).fetch_all(&mut *conn).await.unwrap(),
        ),
    };
    drop(reader);
    db.close().await;
    (columns.into_iter().collect(), indexes.into_iter().collect())
}
