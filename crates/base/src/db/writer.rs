//! Group commit for SQLite: many requests, one fsync.
//!
//! SQLite has one writer. A request takes the writer's connection, works inside a savepoint, sets the next one's and waits.
//! The committer asks for the connection through the same first-come-first-served queue, so everybody who was waiting when
//! it asked is in the group that it then commits; only after that `COMMIT` (with `synchronous=FULL`, an fsync of the
//! write-ahead log) are the group's requests answered. A request that gives up is rolled back to its savepoint by whoever
//! comes next. If the engine rolls back the whole group (a full disk, an I/O error), every request in it fails and none is
//! acknowledged.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgPool, Postgres, SqliteConnection};
use tokio::sync::{Mutex, Notify, OwnedMutexGuard, oneshot};

use super::{Batch, Bound, Conn, DbError};

/// After a failed write the writer counts as unable for so long. That another one succeeds meanwhile says little: it may have
/// been empty, or small enough for the last free page.
const UNABLE_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// A request's write: begun, and undone unless [`Tx::commit`] says otherwise. What it reads may be another request's write
/// that is not durable yet, so an answer that rests on it waits for [`Tx::commit`] too, even if nothing was written here, or for
/// [`Db::settled`](super::Db::settled), as the guard does with every form that is turned down.
#[derive(Debug)]
pub struct Tx(Kind);

#[derive(Debug)]
enum Kind {
    Sqlite(Member),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// A request's place in the open group.
#[derive(Debug)]
struct Member {
    group: OwnedMutexGuard<Group>,
    wake: Arc<Notify>,
    /// Statements that go along with the next one that is waited for.
    batch: Batch,
    released: bool,
}

/// The writer's connection and the group that is open on it.
#[derive(Debug)]
struct Group {
    /// Nothing once the database is closed.
    conn: Option<SqliteConnection>,
    /// `BEGIN` was run and neither `COMMIT` nor `ROLLBACK` since.
    open: bool,
    /// The last member went without releasing its savepoint.
    abandoned: bool,
    waiting: Vec<oneshot::Sender<Result<(), String>>>,
    counts: Arc<Counts>,
}

/// How many groups there were, by size; for the operator's metrics.
#[derive(Debug, Default)]
struct Counts {
    by_size: [AtomicU64; Commits::SIZES_MAX.len()],
    n_writes: AtomicU64,
    n_failed: AtomicU64,
    /// When a write failed last.
    failed: std::sync::Mutex<Option<Instant>>,
}

/// Groups committed since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commits {
    /// Groups of at most as many writes as [`Commits::SIZES_MAX`] says at the same place, and more than the place before.
    pub by_size: [u64; Self::SIZES_MAX.len()],
    /// Writes in all of them.
    pub n_writes: u64,
    /// Groups that could not be made durable; none of their writes was acknowledged.
    pub n_failed: u64,
}

impl Commits {
    /// The upper end of each class of size; the last takes every larger group too.
    pub const SIZES_MAX: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, usize::MAX];
}

/// The one writer of a SQLite file.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    group: Arc<Mutex<Group>>,
    wake: Arc<Notify>,
    counts: Arc<Counts>,
}

impl Writer {
    /// Takes the connection and starts the committer.
    pub(super) fn start(conn: SqliteConnection) -> Self {
        let counts = Arc::new(Counts::default());
        let group = Group {
            conn: Some(conn),
            open: false,
            abandoned: false,
            waiting: Vec::new(),
            counts: Arc::clone(&counts),
        };
        let group = Arc::new(Mutex::new(group));
        let writer = Self { group, wake: Arc::new(Notify::new()), counts };
        let (group, wake) = (Arc::downgrade(&writer.group), Arc::clone(&writer.wake));
        tokio::spawn(async move {
            loop {
                wake.notified().await;
                let Some(group) = group.upgrade() else { return };
                let mut group = group.lock().await;
                // Everybody in it is told what became of it.
                let _ = group.settle().await;
                if group.conn.is_none() {
                    return;
                }
            }
        });
        writer
    }

    pub(super) async fn begin(&self) -> Result<Tx, DbError> {
        let group = Arc::clone(&self.group).lock_owned().await;
        let wake = Arc::clone(&self.wake);
        if group.open && !group.abandoned {
            return Ok(Tx(Kind::Sqlite(Member::of(group, wake))));
        }
        let join = async move {
            let mut group = group;
            group.join().await?;
            Ok(Tx(Kind::Sqlite(Member::of(group, wake))))
        };
        to_the_end(join).await
    }

    pub(super) fn commits(&self) -> Commits {
        self.counts.read()
    }

    pub(super) fn has_failed_lately(&self) -> bool {
        let failed = *self.counts.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|at| at.elapsed() < UNABLE_AFTER_FAILURE)
    }

    /// Commits the group that is open, if one is: its committer may not have come to it yet.
    pub(super) async fn settled(&self) -> Result<(), DbError> {
        let mut group = Arc::clone(&self.group).lock_owned().await;
        if !group.open {
            return Ok(());
        }
        to_the_end(async move { group.settle().await.map_err(DbError::Commit) }).await
    }

    pub(super) async fn checkpoint(&self) -> Result<(), String> {
        let mut group = self.group.lock().await;
        group.settle().await?;
        // The passive kind waits for nobody, so that neither does a form.
        group.run("PRAGMA wal_checkpoint(PASSIVE)").await
    }

    pub(super) async fn close(&self) {
        let mut group = self.group.lock().await;
        let _ = group.settle().await;
        if let Some(conn) = group.conn.take() {
            let _ = conn.close().await;
        }
        self.wake.notify_one();
    }
}

impl Counts {
    fn add(&self, n_writes: usize, is_durable: bool) {
        if !is_durable {
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        if n_writes == 0 {
            return;
        }
        if !is_durable {
            self.n_failed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let class = Commits::SIZES_MAX.partition_point(|&size_max| size_max < n_writes);
        self.by_size[class].fetch_add(1, Ordering::Relaxed);
        self.n_writes.fetch_add(n_writes as u64, Ordering::Relaxed);
    }

    fn read(&self) -> Commits {
        Commits {
            by_size: std::array::from_fn(|class| self.by_size[class].load(Ordering::Relaxed)),
            n_writes: self.n_writes.load(Ordering::Relaxed),
            n_failed: self.n_failed.load(Ordering::Relaxed),
        }
    }
}

impl Group {
    /// Tidies after a member that gave up, and opens the group, with the first member's savepoint, if need be.
    async fn join(&mut self) -> Result<(), DbError> {
        if self.abandoned {
            self.undo_abandoned().await;
        }
        if !self.open {
            let begun = self.run("BEGIN IMMEDIATE; SAVEPOINT member").await;
            begun.map_err(|cause| DbError::Open { operation: "beginning to write", cause })?;
            self.open = true;
        }
        Ok(())
    }

    /// Commits what the group holds and answers everybody in it.
    async fn settle(&mut self) -> Result<(), String> {
        if self.abandoned {
            self.undo_abandoned().await;
        }
        if !self.open {
            return Ok(());
        }
        let outcome = self.run("COMMIT").await;
        if outcome.is_err() {
            let _ = self.run("ROLLBACK").await;
        }
        self.open = false;
        self.answer(&outcome);
        outcome
    }

    /// Rolls back to the savepoint of a member that gave up. If the savepoint is gone, the engine has rolled back the
    /// whole group with it, and everybody in it has failed.
    async fn undo_abandoned(&mut self) {
        self.abandoned = false;
        // The savepoint stays, for the next member.
        if let Err(cause) = self.run("ROLLBACK TO member").await {
            self.fail(cause).await;
        }
    }

    async fn fail(&mut self, cause: String) {
        let _ = self.run("ROLLBACK").await;
        self.open = false;
        self.answer(&Err(cause));
    }

    fn answer(&mut self, outcome: &Result<(), String>) {
        self.counts.add(self.waiting.len(), outcome.is_ok());
        for waiting in self.waiting.drain(..) {
            // A client that has gone away needs no answer; its write stands.
            let _ = waiting.send(outcome.clone());
        }
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), String> {
        self.run_all(Batch::default().then(sql)).await
    }

    async fn run_all(&mut self, batch: Batch) -> Result<(), String> {
        let Some(conn) = &mut self.conn else {
            return Err(String::from("the database is closed"));
        };
        batch.execute(conn).await.map(|_| ()).map_err(|e| e.to_string())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if !self.released {
            self.group.abandoned = true;
        }
        // After this the guard goes, and the committer's turn comes behind those already waiting.
        self.wake.notify_one();
    }
}

impl Tx {
    pub(super) async fn begin_postgres(pool: &PgPool) -> Result<Self, DbError> {
        let begun = pool.begin().await;
        begun
            .map(|tx| Self(Kind::Postgres(tx)))
            .map_err(|e| DbError::Open { operation: "beginning to write", cause: e.to_string() })
    }

    pub(super) fn conn(&mut self) -> Conn<'_> {
        match &mut self.0 {
            Kind::Sqlite(member) => {
                #[expect(clippy::expect_used, reason = "begin() refuses once it is closed")]
                let conn = member.group.conn.as_mut().expect("open while a member holds it");
                Conn::Sqlite(conn)
            }
            Kind::Postgres(tx) => Conn::Postgres(tx),
        }
    }

    /// What was put off; nothing on PostgreSQL.
    pub(super) fn batch(&mut self) -> Batch {
        match &mut self.0 {
            Kind::Sqlite(member) => std::mem::take(&mut member.batch),
            Kind::Postgres(_) => Batch::default(),
        }
    }

    /// Runs a statement whose outcome nobody reads. SQLite gets it together with the next one that is waited for, or at
    /// the commit, and a failure shows there; PostgreSQL gets it at once.
    ///
    /// # Errors
    /// If PostgreSQL refuses, or the statement was bound for another engine.
    pub async fn put_off(&mut self, bound: Bound) -> Result<(), DbError> {
        if let Kind::Sqlite(member) = &mut self.0 {
            member.batch = bound.into_batch()?;
            return Ok(());
        }
        bound.execute(self.conn()).await.map(|_| ())
    }

    /// Makes the write durable; when this returns, it is.
    ///
    /// # Errors
    /// [`DbError::Commit`] if it could not be: nothing of it is there then.
    pub async fn commit(self) -> Result<(), DbError> {
        match self.0 {
            Kind::Sqlite(member) => to_the_end(member.commit()).await,
            Kind::Postgres(tx) => tx.commit().await.map_err(|e| DbError::Commit(e.to_string())),
        }
    }
}

/// Runs `work` in a task of its own, so that a client that goes away cannot stop it between a statement and the note of it.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, DbError>> + Send + 'static,
) -> Result<T, DbError> {
    let ended = tokio::spawn(work).await;
    ended.unwrap_or_else(|e| Err(DbError::Commit(format!("the writer's task failed: {e}"))))
}

impl Member {
    fn of(group: OwnedMutexGuard<Group>, wake: Arc<Notify>) -> Self {
        Self { group, wake, batch: Batch::default(), released: false }
    }

    async fn commit(mut self) -> Result<(), DbError> {
        let batch = std::mem::take(&mut self.batch);
        // The next member's savepoint in the same breath. Should anything fail, this member counts as having given up.
        let batch = batch.then("RELEASE member").then("SAVEPOINT member");
        self.group.run_all(batch).await.map_err(DbError::Commit)?;
        self.released = true;
        let (answer, answered) = oneshot::channel();
        self.group.waiting.push(answer);
        drop(self);
        match answered.await {
            Ok(outcome) => outcome.map_err(DbError::Commit),
            Err(_) => Err(DbError::Commit(String::from("the writer stopped"))),
        }
    }
}
