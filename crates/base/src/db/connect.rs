//! Opening a database: where it is, its schema, and the refusal of one from the future.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, PgPool};

use super::writer::Writer;
use super::{Db, DbError, Inner};

/// Connections that read a SQLite file at once.
const SQLITE_READERS_MAX: u32 = 4;
/// Connections to PostgreSQL at once.
const POSTGRES_CONNECTIONS_MAX: u32 = 16;
/// How long a statement waits for another process (the operator's commands) to let go of a SQLite file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Where the records are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A `postgres://` URL.
    Postgres(String),
}

impl Db {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// If it cannot be reached, or was made by a newer version.
    pub async fn open(target: &Target) -> Result<Self, DbError> {
        match target {
            Target::Sqlite(path) => open_sqlite(path).await,
            Target::Postgres(url) => open_postgres(url).await,
        }
    }
}

/// The refusal, in words, if the newest migration `applied` is one that this program does not know.
#[must_use]
pub fn refuse_newer_schema(applied: Option<i64>) -> Option<String> {
    let known = SQLITE_MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0);
    applied.filter(|&version| version > known).map(|version| {
        format!(
            "the records were made by a newer version of Bellwether (schema {version}, this program knows up to \
             {known}). Start the newer version, or restore a backup that this version made."
        )
    })
}

async fn open_sqlite(path: &Path) -> Result<Db, DbError> {
    let open = |operation| move |e: sqlx::Error| DbError::Open { operation, cause: e.to_string() };
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    let mut conn = options.connect().await.map_err(open("opening the SQLite file for writing"))?;
    let applied: Option<(Option<i64>,)> =
        sqlx::query_as("SELECT max(version) FROM _sqlx_migrations").fetch_one(&mut conn).await.ok();
    refuse(applied.and_then(|(version,)| version))?;
    migrate(SQLITE_MIGRATIONS.run(&mut conn).await)?;
    let readers = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .connect_lazy_with(options.read_only(true).create_if_missing(false));
    Ok(Db(Inner::Sqlite { readers, writer: Writer::start(conn) }))
}

async fn open_postgres(url: &str) -> Result<Db, DbError> {
    let open = |e: sqlx::Error| DbError::Open {
        operation: "connecting to PostgreSQL",
        cause: e.to_string(),
    };
    let options = PgConnectOptions::from_str(url).map_err(open)?.disable_statement_logging();
    let pool: PgPool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await
        .map_err(open)?;
    let applied: Option<(Option<i64>,)> =
        sqlx::query_as("SELECT max(version) FROM _sqlx_migrations").fetch_one(&pool).await.ok();
    refuse(applied.and_then(|(version,)| version))?;
    migrate(POSTGRES_MIGRATIONS.run(&pool).await)?;
    Ok(Db(Inner::Postgres(pool)))
}

fn refuse(applied: Option<i64>) -> Result<(), DbError> {
    refuse_newer_schema(applied).map_or(Ok(()), |cause| {
        Err(DbError::Open { operation: "checking the version of the records", cause })
    })
}

fn migrate(outcome: Result<(), sqlx::migrate::MigrateError>) -> Result<(), DbError> {
    outcome.map_err(|e| DbError::Open {
        operation: "bringing the schema up to date",
        cause: e.to_string(),
    })
}
