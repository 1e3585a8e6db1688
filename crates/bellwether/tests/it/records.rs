//! Every table of the records, to the last column: what shows that nothing changed, or how much did.

use std::collections::{BTreeMap, BTreeSet};

use base::db::{Conn, Queries as _};
use sqlx::AssertSqlSafe;

use crate::app::TestApp;

const SQLITE_TABLES: &str = "SELECT name FROM sqlite_master \
     WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> '_sqlx_migrations'";
const SQLITE_COLUMNS: &str = "SELECT group_concat(name) FROM pragma_table_info($1)";
const POSTGRES_TABLES: &str = "SELECT tablename::text FROM pg_tables \
     WHERE schemaname = current_schema() AND tablename <> '_sqlx_migrations'";
/// Bytes of the header of SQLite's write-ahead log, and of each frame in it.
const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The rows of each table, as the engine itself writes them down.
pub type Records = BTreeMap<String, Vec<String>>;

/// The number of rows of each table.
pub fn sizes(records: &Records) -> BTreeMap<String, usize> {
    records.iter().map(|(table, rows)| (table.clone(), rows.len())).collect()
}

impl TestApp {
    /// Everything on record.
    pub async fn records(&self) -> Records {
        let mut reader = self.house.db.reader().await.unwrap();
        let mut records = Records::new();
        match reader.conn() {
            Conn::Sqlite(conn) => {
                let tables: Vec<String> =
                    sqlx::query_scalar(SQLITE_TABLES).fetch_all(&mut *conn).await.unwrap();
                for table in tables {
                    let columns: String = sqlx::query_scalar(SQLITE_COLUMNS)
                        .bind(&table)
                        .fetch_one(&mut *conn)
                        .await
                        .unwrap();
                    let sql = format!("SELECT json_array({columns}) FROM {table} ORDER BY 1");
                    let rows = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut *conn).await;
                    records.insert(table, rows.unwrap());
                }
            }
            Conn::Postgres(conn) => {
                let tables: Vec<String> =
                    sqlx::query_scalar(POSTGRES_TABLES).fetch_all(&mut *conn).await.unwrap();
                for table in tables {
                    let sql = format!("SELECT row_to_json(t)::text FROM {table} t ORDER BY 1");
                    let rows = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut *conn).await;
                    records.insert(table, rows.unwrap());
                }
            }
        }
        records
    }

    /// The commits made so far that left something behind: those in SQLite's write-ahead log, or the times of commit of
    /// PostgreSQL's rows: a savepoint gives rows a transaction number of their own, but not a commit.
    pub async fn commits(&self) -> BTreeSet<String> {
        let tables: Vec<String> = self.records().await.into_keys().collect();
        let mut reader = self.house.db.reader().await.unwrap();
        let Conn::Postgres(conn) = reader.conn() else { return self.commits_in_log() };
        let mut commits = BTreeSet::new();
        for table in tables {
            let sql = format!(
                "SELECT DISTINCT coalesce(pg_xact_commit_timestamp(xmin)::text, '') FROM {table}"
            );
            let rows = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut *conn).await;
            commits.extend::<Vec<String>>(rows.unwrap());
        }
        commits
    }

    /// Each frame of the log that ends a commit says so: the size of the database stands in its header.
    fn commits_in_log(&self) -> BTreeSet<String> {
        let log = std::fs::read(self.data().join("bellwether.sqlite-wal")).unwrap();
        let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
        let page_size = usize::try_from(number(8)).unwrap();
        let salt = &log[16..24];
        let frames = (WAL_HEADER..log.len()).step_by(FRAME_HEADER + page_size);
        let of_now = frames.take_while(|at| log.get(at + 8..at + 16) == Some(salt));
        of_now.filter(|at| number(at + 4) != 0).map(|at| at.to_string()).collect()
    }
}

#[tokio::test]
async fn a_change_to_any_column_shows_and_each_commit_counts() {
    let app = TestApp::start().await;
    let (records, commits) = (app.records().await, app.commits().await);
    assert!(records.len() >= 14 && records["contact"].is_empty());
    app.sign_up("Ada", "ada@example.org", &[]).await;
    let after = app.records().await;
    assert_eq!(sizes(&after)["contact"], 1);
    assert!(after["contact"][0].contains("ada@example.org"), "{after:?}");
    assert_eq!(app.commits().await.difference(&commits).count(), 1);
}
