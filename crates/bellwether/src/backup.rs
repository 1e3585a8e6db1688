//! Backup and restore: records and instance key as one file, checked on the way out and on the way in.
//!
//! A backup is a SQLite file like the one in the data directory, with one table more that holds the instance key and the
//! time. It is made by `VACUUM INTO` while the server runs: one consistent moment, no pause for writers. Without the key the
//! links in mails sent so far would be dead, so the file is as private as the key, and made readable for its owner only.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base::config::Config;
use base::db::{Conn, Db, Queries as _, Target, refuse_newer_schema};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::serve::{lock, make_data_dir};
use crate::trouble::Trouble;

/// Errors of SQLite and of files, told with the file they are about.
type Outcome<T> = Result<T, Trouble>;

const MAKE_TABLE: &str = "CREATE TABLE bellwether_backup (made_ms BIGINT NOT NULL, version TEXT NOT NULL, secret TEXT NOT NULL)";
const PUT: &str = "INSERT INTO bellwether_backup (made_ms, version, secret) VALUES ($1, $2, $3)";
const TAKE: &str = "SELECT made_ms, version, secret FROM bellwether_backup";
const DROP_TABLE: &str = "DROP TABLE bellwether_backup";
/// Receipts of erasures, addresses that must not be written to, and the taking back of consents are kept even when older
/// records come back. A consent that was asked for after it had been taken back (anybody can fill in a form) is still taken back.
const KEPT: [&str; 3] = [
    "INSERT OR IGNORE INTO erasure (id, address_hash, n_entries, ledger_head, erased_ms) \
     SELECT id, address_hash, n_entries, ledger_head, erased_ms FROM replaced.erasure",
    "INSERT OR IGNORE INTO suppression (address_hash, reason, created_ms) \
     SELECT address_hash, reason, created_ms FROM replaced.suppression",
    "UPDATE subscription SET state = 'withdrawn' WHERE EXISTS (SELECT 1 FROM replaced.subscription AS later \
     WHERE later.contact_id = subscription.contact_id AND later.purpose = subscription.purpose \
     AND later.state <> 'confirmed' AND later.changed_ms > subscription.changed_ms)",
];

/// Copies the records and the instance key into `file`, beside a running server.
///
/// # Errors
/// If the records are not in SQLite, `file` is there already, or the copy is not whole.
pub async fn backup(config: &Config, file: &Path, now_ms: i64) -> Outcome<String> {
    if let Target::Postgres(_) = config.database {
        let secret = config.secret_file.0.display();
        return Err(Trouble::new(
            "database-url",
            "the records are in PostgreSQL, which has its own way of copying them",
            format_args!("Run pg_dump --format=custom on that database, and copy {secret} too."),
        ));
    }
    if file.exists() {
        return Err(Trouble::new(file.display(), "it is there already", "Name a new file."));
    }
    let secret = fs::read_to_string(&config.secret_file.0).map_err(|e| {
        let remedy = "Name the file with --secret-file, or run this as the user who serves.";
        Trouble::new(config.secret_file.0.display(), format_args!("the key: {e}"), remedy)
    })?;
    let db = Db::open_existing(&config.database).await?;
    let partial = beside(file, "partial");
    let made = copy_out(&db, &partial, secret.trim(), now_ms).await;
    db.close().await;
    let n_bytes = made.inspect_err(|_| {
        let _ = fs::remove_file(&partial);
    })?;
    fs::rename(&partial, file).and_then(|()| sync_folder(file)).map_err(about(file))?;
    Ok(format!("{} holds the records and the key ({n_bytes} bytes, checked)", file.display()))
}

/// Puts a backup's records and key in place of nothing, or with `replace` of those that are there, which are kept beside.
///
/// # Errors
/// If the backup is not whole or newer than this program, or records are there and `replace` is not given.
pub async fn restore(config: &Config, file: &Path, replace: bool) -> Outcome<String> {
    let Target::Sqlite(records) = &config.database else {
        return Err(Trouble::new(
            "database-url",
            "the records belong into PostgreSQL, which has its own way of restoring them",
            "Run pg_restore on that database, and put the copied secret back in its place.",
        ));
    };
    make_data_dir(&config.data).map_err(about(&config.data))?;
    let _lock = lock(config)?;
    let secret_file = &config.secret_file.0;
    if !replace && (records.exists() || secret_file.exists()) {
        let remedy = "Name an empty folder with --data, or add --replace to keep these aside.";
        return Err(Trouble::new(config.data.display(), "records are there already", remedy));
    }
    let incoming = beside(records, "restoring");
    let _ = fs::remove_file(&incoming);
    make_private(&incoming).and_then(|()| fs::copy(file, &incoming)).map_err(about(file))?;
    let taken = take_out(&incoming, file, records.exists().then_some(records.as_path())).await;
    let taken = taken.inspect_err(|_| {
        let _ = fs::remove_file(&incoming);
    })?;
    put_key(secret_file, &taken.secret).map_err(about(secret_file))?;
    set_aside(records)
        .and_then(|()| fs::rename(&incoming, records))
        .and_then(|()| sync_folder(records))
        .map_err(about(records))?;
    let made = base::clock::in_words_to_the_minute(taken.made_ms);
    let kept = if replace { "; what was there is kept beside, ending in .replaced" } else { "" };
    Ok(format!("the records of {made} are back in {}{kept}", config.data.display()))
}

/// What a backup says of itself.
struct Taken {
    made_ms: i64,
    secret: String,
}

async fn copy_out(db: &Db, partial: &Path, secret: &str, now_ms: i64) -> Outcome<u64> {
    let _ = fs::remove_file(partial);
    // An empty file of our own making is one that SQLite writes into, and nobody else may read it meanwhile.
    make_private(partial).map_err(about(partial))?;
    let mut reader = db.reader().await?;
    if let Conn::Sqlite(conn) = reader.conn() {
        let into = partial.display().to_string();
        let copied = sqlx::query("VACUUM INTO $1").bind(into).execute(conn).await;
        copied.map_err(about(partial))?;
    }
    drop(reader);
    let mut copy = open(partial).await?;
    sqlx::query(MAKE_TABLE).execute(&mut copy).await.map_err(about(partial))?;
    let put = sqlx::query(PUT).bind(now_ms).bind(env!("CARGO_PKG_VERSION")).bind(secret);
    put.execute(&mut copy).await.map_err(about(partial))?;
    check(&mut copy, partial).await?;
    copy.close().await.map_err(about(partial))?;
    let file = File::open(partial).map_err(about(partial))?;
    file.sync_all().map_err(about(partial))?;
    file.metadata().map(|m| m.len()).map_err(about(partial))
}

/// Checks the copied backup, takes the key out of it, and puts in what must outlive a restore.
async fn take_out(incoming: &Path, file: &Path, replaced: Option<&Path>) -> Outcome<Taken> {
    let not_ours = |e: sqlx::Error| {
        let what = format!("this is not a backup of Bellwether ({e})");
        Trouble::new(file.display(), what, "Name a file that `bellwether backup` made.")
    };
    let mut copy = open(incoming).await.map_err(|trouble| Trouble {
        place: file.display().to_string(),
        remedy: String::from("Name a file that `bellwether backup` made."),
        ..trouble
    })?;
    let (made_ms, _version, secret): (i64, String, String) =
        sqlx::query_as(TAKE).fetch_one(&mut copy).await.map_err(not_ours)?;
    check(&mut copy, file).await?;
    let (applied,): (Option<i64>,) = sqlx::query_as("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(&mut copy)
        .await
        .map_err(not_ours)?;
    if let Some(refusal) = refuse_newer_schema(applied) {
        return Err(Trouble::from(format!("{}: {refusal}", file.display())));
    }
    // The key must not stay behind in freed pages of a file that now holds records only.
    for sql in ["PRAGMA secure_delete = ON", DROP_TABLE] {
        sqlx::query(sql).execute(&mut copy).await.map_err(about(incoming))?;
    }
    if let Some(replaced) = replaced {
        keep_receipts(&mut copy, replaced).await?;
    }
    copy.close().await.map_err(about(incoming))?;
    File::open(incoming).and_then(|file| file.sync_all()).map_err(about(incoming))?;
    Ok(Taken { made_ms, secret })
}

async fn keep_receipts(copy: &mut SqliteConnection, replaced: &Path) -> Outcome<()> {
    let attach = sqlx::query("ATTACH DATABASE $1 AS replaced").bind(replaced.display().to_string());
    attach.execute(&mut *copy).await.map_err(about(replaced))?;
    for sql in KEPT {
        let kept = sqlx::query(sql).execute(&mut *copy).await;
        kept.map_err(|e| {
            let remedy = "Move it out of the way yourself; erasures made since the backup are then yours to redo.";
            Trouble::new(replaced.display(), format_args!("it cannot be read ({e})"), remedy)
        })?;
    }
    let detach = sqlx::query("DETACH DATABASE replaced").execute(copy).await;
    detach.map(|_| ()).map_err(about(replaced))
}

/// The two checks that SQLite has for a file: of its structure, and of what refers to what.
async fn check(conn: &mut SqliteConnection, file: &Path) -> Outcome<()> {
    let damaged = |what: String| {
        let remedy = "Do not use this file. Take a backup from before, or copy the disk first.";
        Trouble::new(file.display(), format_args!("it is damaged ({what})"), remedy)
    };
    let integrity: Vec<(String,)> = sqlx::query_as("PRAGMA integrity_check")
        .fetch_all(&mut *conn)
        .await
        .map_err(|e| damaged(e.to_string()))?;
    if let Some((what,)) = integrity.into_iter().find(|(what,)| what != "ok") {
        return Err(damaged(what));
    }
    let orphans = sqlx::query("PRAGMA foreign_key_check").fetch_all(conn).await;
    let n_orphans = orphans.map_err(|e| damaged(e.to_string()))?.len();
    if n_orphans == 0 { Ok(()) } else { Err(damaged(format!("{n_orphans} rows refer to nothing"))) }
}

/// A backup is one file: no write-ahead log beside it.
async fn open(file: &Path) -> Outcome<SqliteConnection> {
    SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Delete)
        .disable_statement_logging()
        .connect()
        .await
        .map_err(about(file))
}

/// Puts the key in its file, unless it is there already.
fn put_key(file: &Path, secret: &str) -> std::io::Result<()> {
    if fs::read_to_string(file).is_ok_and(|there| there.trim() == secret) {
        return Ok(());
    }
    set_aside(file)?;
    make_private(file)?;
    fs::write(file, format!("{secret}\n"))?;
    File::open(file)?.sync_all()?;
    sync_folder(file)
}

/// Moves a file, with SQLite's companions, aside, so that a mistaken restore can be taken back.
fn set_aside(file: &Path) -> std::io::Result<()> {
    for companion in ["", "-wal", "-shm"] {
        let mut from = file.as_os_str().to_owned();
        from.push(companion);
        let mut to = file.as_os_str().to_owned();
        to.push(format!(".replaced{companion}"));
        match fs::rename(from, to) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

fn make_private(file: &Path) -> std::io::Result<()> {
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map(|_| ())
}

fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(format!(".{ending}"));
    PathBuf::from(path)
}

/// An error about a file, in words.
fn about<E: std::fmt::Display>(file: &Path) -> impl Fn(E) -> Trouble {
    move |e| Trouble::new(file.display(), e, "Name a place that can be read and written.")
}
