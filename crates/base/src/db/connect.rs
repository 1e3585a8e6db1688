//! Opening a database: where it is, its schema, and the refusal of one from the future.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, PgPool, SqliteConnection};

use super::writer::Writer;
use super::{Db, DbError, Inner};

/// Connections that read a SQLite file at once.
const SQLITE_READERS_MAX: u32 = 4;
/// Connections to PostgreSQL at once.
const POSTGRES_CONNECTIONS_MAX: u32 = 16;
/// Prepared statements kept for each connection to SQLite: all that are used often, and the batches made of them.
const SQLITE_STATEMENTS_MAX: usize = 256;
/// How long a statement waits for another process (the operator's commands) to let go of a SQLite file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

static SQLITE_MIGRATIONS: Migrator = sqlx_macros::migrate!("../../migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx_macros::migrate!("../../migrations/postgres");

/// Where the records are.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A `postgres://` URL.
    Postgres(String),
}

// The URL may hold a password.
impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.debug_tuple("Postgres").finish_non_exhaustive(),
        }
    }
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

    /// Opens records that are there, beside a server that may be running on them: makes nothing and leaves the schema alone.
    ///
    /// # Errors
    /// If there are none, they cannot be reached, or another version made them.
    pub async fn open_existing(target: &Target) -> Result<Self, DbError> {
        match target {
            Target::Sqlite(path) if !path.is_file() => Err(DbError::Refused {
                operation: "looking for the records",
                cause: format!("there are none at {}. {START_FIRST}", path.display()),
            }),
            Target::Sqlite(path) => {
                let options = sqlite_options(path).create_if_missing(false);
                let open = opening("opening the SQLite file");
                let mut conn = options.connect().await.map_err(open)?;
                let applied = sqlx::query_as(APPLIED).fetch_one(&mut conn).await.ok();
                refuse_other_schema(applied.and_then(|(version,)| version))?;
                Ok(sqlite_db(conn, options))
            }
            Target::Postgres(url) => {
                let pool = postgres_pool(url).await?;
                let applied = sqlx::query_as(APPLIED).fetch_one(&pool).await.ok();
                refuse_other_schema(applied.and_then(|(version,)| version))?;
                Ok(Db(Inner::Postgres(pool)))
            }
        }
    }
}

/// The newest migration that was applied; fails where none ever was.
const APPLIED: &str = "SELECT max(version) FROM _sqlx_migrations";
/// What to do where the schema is missing or old.
const START_FIRST: &str =
    "Start this version of Bellwether once, or name the right place with --data or --database-url.";

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
    make_private(path)
        .map_err(|e| DbError::Open { operation: "making the SQLite file", cause: e.to_string() })?;
    let options = sqlite_options(path).create_if_missing(true);
    let open = opening("opening the SQLite file for writing");
    let mut conn = options.connect().await.map_err(open)?;
    let applied: Option<(Option<i64>,)> = sqlx::query_as(APPLIED).fetch_one(&mut conn).await.ok();
    refuse(applied.and_then(|(version,)| version))?;
    migrate(SQLITE_MIGRATIONS.run(&mut conn).await)?;
    Ok(sqlite_db(conn, options))
}

fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .statement_cache_capacity(SQLITE_STATEMENTS_MAX)
        .busy_timeout(BUSY_TIMEOUT)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // What a person had erased must not stay behind in freed pages.
        .pragma("secure_delete", "ON")
        // Nor in the log: it is cut when it begins anew after a checkpoint.
        .pragma("journal_size_limit", "0")
        // A member's savepoint keeps the pages it changes, to undo them: in a temporary file unless told otherwise,
        // most of a sign-up's writes. They are of no use after a crash, so memory is where they belong.
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}

fn sqlite_db(conn: SqliteConnection, options: SqliteConnectOptions) -> Db {
    let readers = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .connect_lazy_with(options.read_only(true).create_if_missing(false));
    Db(Inner::Sqlite { readers, writer: Writer::start(conn) })
}

/// Makes the file, for its owner only, if it is not there. SQLite gives its companions the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(e),
        _ => Ok(()),
    }
}

async fn open_postgres(url: &str) -> Result<Db, DbError> {
    let pool = postgres_pool(url).await?;
    let applied: Option<(Option<i64>,)> = sqlx::query_as(APPLIED).fetch_one(&pool).await.ok();
    refuse(applied.and_then(|(version,)| version))?;
    migrate(POSTGRES_MIGRATIONS.run(&pool).await)?;
    Ok(Db(Inner::Postgres(pool)))
}

async fn postgres_pool(url: &str) -> Result<PgPool, DbError> {
    let open = opening("connecting to PostgreSQL");
    let options = PgConnectOptions::from_str(url).map_err(open)?.disable_statement_logging();
    PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await
        .map_err(open)
}

fn opening(operation: &'static str) -> impl Fn(sqlx::Error) -> DbError + Copy {
    move |e| DbError::Open { operation, cause: e.to_string() }
}

fn refuse(applied: Option<i64>) -> Result<(), DbError> {
    refuse_newer_schema(applied).map_or(Ok(()), |cause| {
        Err(DbError::Refused { operation: "checking the version of the records", cause })
    })
}

/// Refuses a newer schema, and an older one too.
fn refuse_other_schema(applied: Option<i64>) -> Result<(), DbError> {
    refuse(applied)?;
    let known = SQLITE_MIGRATIONS.iter().map(|m| m.version).max();
    if applied == known {
        return Ok(());
    }
    let cause = match applied {
        None => format!("there are no records yet. {START_FIRST}"),
        Some(version) => {
            format!("they were made by an older version (schema {version}). {START_FIRST}")
        }
    };
    Err(DbError::Refused { operation: "checking the version of the records", cause })
}

fn migrate(outcome: Result<(), sqlx::migrate::MigrateError>) -> Result<(), DbError> {
    outcome.map_err(|e| DbError::Open {
        operation: "bringing the schema up to date",
        cause: e.to_string(),
    })
}
