//! A database for one test: a SQLite file, or a schema of its own on the server that `TEST_POSTGRES_URL` names.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use base::db::Target;
use sqlx::{Connection as _, Executor as _, PgConnection};

/// Tells the schemas of one process apart.
static N_MADE: AtomicU32 = AtomicU32::new(0);

/// The database and the data directory of one test; both go when this goes.
pub struct Scratch {
    data: tempfile::TempDir,
    schema: Option<(String, String)>,
}

impl Scratch {
    /// An empty data directory, and an empty schema if there is a server.
    pub async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
            return Self { data, schema: None };
        };
        let n = N_MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{n}", std::process::id());
        on_server(&server, format!("CREATE SCHEMA {name}")).await;
        Self { data, schema: Some((server, name)) }
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Where the records go.
    pub fn target(&self) -> Target {
        match self.url() {
            Some(url) => Target::Postgres(url),
            None => Target::Sqlite(self.data().join("bellwether.sqlite")),
        }
    }

    /// The URL of the schema, if it is one.
    pub fn url(&self) -> Option<String> {
        let (server, name) = self.schema.as_ref()?;
        let separator = if server.contains('?') { '&' } else { '?' };
        let options = format!("options=-c%20search_path%3D{name}");
        Some(format!("{server}{separator}{options}&application_name={name}"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Some((server, name)) = self.schema.take() else { return };
        // A test may end inside a runtime, which cannot wait here; a thread of its own can.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            // A transaction that a refused request left to be undone may still hold its locks: nobody will undo it now.
            let sql = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{name}'; \
                 DROP SCHEMA {name} CASCADE"
            );
            runtime.unwrap().block_on(on_server(&server, sql));
        });
        assert!(dropped.join().is_ok() || std::thread::panicking(), "the schema was not dropped");
    }
}

async fn on_server(url: &str, sql: String) {
    let mut conn = PgConnection::connect(url).await.unwrap();
    conn.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.unwrap();
    conn.close().await.unwrap();
}
