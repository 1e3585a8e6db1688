//! Storage: SQLite inside the data directory, or PostgreSQL, behind one face.
//!
//! Every statement is a [`Statement`] that both engines accept. Reads take a [`Reader`] from the pool; writes take a
//! [`Tx`], which on SQLite joins the group that the next commit makes durable together (see `writer.rs`).

mod batch;
mod bound;
mod connect;
mod macros;
mod writer;

pub use batch::Batch;
pub use bound::Bound;
pub use connect::{Target, refuse_newer_schema};
pub use writer::{Commits, Tx};

/// Derives how a row becomes a value, for [`fetch!`](crate::fetch).
pub use sqlx_macros::FromRow;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool};

use writer::Writer;

/// One query: its name in the catalogue and its text for either engine (the same unless unavoidable).
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// The constant's name, for messages.
    pub name: &'static str,
    /// The text for SQLite.
    pub sqlite: &'static str,
    /// The text for PostgreSQL.
    pub postgres: &'static str,
}

/// Why the database did not do as asked. Never shown to a visitor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// A statement failed.
    #[error("statement {statement} failed")]
    Statement {
        /// Its name in the catalogue. On SQLite one that was put off until this one may be the one that failed.
        statement: &'static str,
        /// What the engine said.
        source: sqlx::Error,
    },
    /// The group that held this write was not made durable; nothing of it is there.
    #[error("the commit failed: {0}")]
    Commit(String),
    /// No connection, or the schema could not be read or brought up to date.
    #[error("{operation}: {cause}")]
    Open {
        /// What was being done.
        operation: &'static str,
        /// What the engine said.
        cause: String,
    },
    /// The records are not ones that this program may work on. In words, with what to do.
    #[error("{operation}: {cause}")]
    Refused {
        /// What was being done.
        operation: &'static str,
        /// Why not, and what to do.
        cause: String,
    },
    /// A row that breaks what the program relies on.
    #[error("table {table}, row {row}: {what}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The row's id.
        row: String,
        /// What is wrong with it.
        what: String,
    },
}

/// An open database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Db(Inner);

#[derive(Clone, Debug)]
enum Inner {
    Sqlite { readers: SqlitePool, writer: Writer },
    Postgres(PgPool),
}

/// A connection of either engine, for one statement at a time.
#[derive(Debug)]
pub enum Conn<'c> {
    /// SQLite.
    Sqlite(&'c mut SqliteConnection),
    /// PostgreSQL.
    Postgres(&'c mut PgConnection),
}

/// A pooled connection for reading.
#[derive(Debug)]
pub enum Reader {
    /// SQLite, opened read-only.
    Sqlite(PoolConnection<Sqlite>),
    /// PostgreSQL.
    Postgres(PoolConnection<Postgres>),
}

/// Anything that statements can be run on: a [`Reader`] or a [`Tx`].
pub trait Queries: Send {
    /// The connection to run the next statement on.
    fn conn(&mut self) -> Conn<'_>;

    /// What was put off until that statement; from now on the caller's to run.
    #[must_use = "what was put off must be run"]
    fn batch(&mut self) -> Batch {
        Batch::default()
    }
}

impl Queries for Reader {
    fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(conn) => Conn::Sqlite(conn),
            Self::Postgres(conn) => Conn::Postgres(conn),
        }
    }
}

impl Queries for Tx {
    fn conn(&mut self) -> Conn<'_> {
        Tx::conn(self)
    }

    fn batch(&mut self) -> Batch {
        Tx::batch(self)
    }
}

crate::statements! {
    MARK = "SAVEPOINT mark";
    KEEP = "RELEASE SAVEPOINT mark";
    UNDO = "ROLLBACK TO SAVEPOINT mark";
}

impl Tx {
    /// Marks what [`Tx::settle`] decides about: everything from here on. Marks may stand within each other.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn mark(&mut self) -> Result<(), DbError> {
        crate::later!(self, MARK)
    }

    /// Lets what was written since the last mark stand, or undoes it as if it had never been; the mark is gone then. Either
    /// way the work of writing was done, so that the time tells nothing of which it was.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn settle(&mut self, stands: bool) -> Result<(), DbError> {
        if !stands {
            crate::later!(self, UNDO)?;
        }
        crate::later!(self, KEEP)
    }
}

impl Db {
    /// A connection for reading.
    ///
    /// # Errors
    /// If none can be had in time.
    pub async fn reader(&self) -> Result<Reader, DbError> {
        let open = |e: sqlx::Error| DbError::Open {
            operation: "taking a connection to read",
            cause: e.to_string(),
        };
        Ok(match &self.0 {
            Inner::Sqlite { readers, .. } => Reader::Sqlite(readers.acquire().await.map_err(open)?),
            Inner::Postgres(pool) => Reader::Postgres(pool.acquire().await.map_err(open)?),
        })
    }

    /// A transaction for writing. Nothing is acknowledged before [`Tx::commit`] returns; dropping it undoes it.
    ///
    /// # Errors
    /// If no transaction can be begun.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        match &self.0 {
            Inner::Sqlite { writer, .. } => writer.begin().await,
            Inner::Postgres(pool) => Tx::begin_postgres(pool).await,
        }
    }

    /// Waits until whatever a dropped [`Tx`] may have read is durable: for an answer that rests on it though nothing was
    /// written. PostgreSQL lets nobody read what is not.
    ///
    /// # Errors
    /// [`DbError::Commit`] if it could not be made durable: what was read is not there.
    pub async fn settled(&self) -> Result<(), DbError> {
        match &self.0 {
            Inner::Sqlite { writer, .. } => writer.settled().await,
            Inner::Postgres(_) => Ok(()),
        }
    }

    /// Which engine this is, in words for an operator.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match &self.0 {
            Inner::Sqlite { .. } => "SQLite",
            Inner::Postgres(_) => "PostgreSQL",
        }
    }

    /// Whether a write failed within the last seconds: a full disk, most likely. An empty transaction would not
    /// notice, as it writes nothing. PostgreSQL is asked by beginning one.
    #[must_use]
    pub fn has_failed_lately(&self) -> bool {
        match &self.0 {
            Inner::Sqlite { writer, .. } => writer.has_failed_lately(),
            Inner::Postgres(_) => false,
        }
    }

    /// The groups that SQLite's writer has committed; nothing on PostgreSQL, which groups commits itself.
    #[must_use]
    pub fn commits(&self) -> Option<Commits> {
        match &self.0 {
            Inner::Sqlite { writer, .. } => Some(writer.commits()),
            Inner::Postgres(_) => None,
        }
    }

    /// Asks the engine to parse every statement, and lists those it refuses.
    ///
    /// # Errors
    /// If no connection can be had.
    pub async fn refused_statements(
        &self,
        statements: &[Statement],
    ) -> Result<Vec<String>, DbError> {
        use sqlx::Executor as _;
        let mut reader = self.reader().await?;
        let mut refused = Vec::new();
        for statement in statements {
            let outcome = match reader.conn() {
                Conn::Sqlite(conn) => {
                    let sql = sqlx::SqlStr::from_static(statement.sqlite);
                    (&mut *conn).prepare(sql).await.map(|_| ())
                }
                Conn::Postgres(conn) => {
                    let sql = sqlx::SqlStr::from_static(statement.postgres);
                    (&mut *conn).prepare(sql).await.map(|_| ())
                }
            };
            if let Err(e) = outcome {
                refused.push(format!("{}: {e}", statement.name));
            }
        }
        Ok(refused)
    }

    /// Folds SQLite's log into its file as far as nobody reads from it, so that what was erased does not outlive the next
    /// write there. PostgreSQL does so by itself.
    ///
    /// # Errors
    /// If the engine refuses.
    pub async fn checkpoint(&self) -> Result<(), DbError> {
        match &self.0 {
            Inner::Sqlite { writer, .. } => writer.checkpoint().await.map_err(DbError::Commit),
            Inner::Postgres(_) => Ok(()),
        }
    }

    /// Closes every connection, after the last group is durable.
    pub async fn close(&self) {
        match &self.0 {
            Inner::Sqlite { readers, writer } => {
                // The last connection to close folds the log into the file, which one that only reads may not do.
                readers.close().await;
                writer.close().await;
            }
            Inner::Postgres(pool) => pool.close().await,
        }
    }
}
