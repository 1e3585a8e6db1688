//! A statement with its values, ready for the engine at hand: what the macros of this module build and run.

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::SqliteRow;
use sqlx::{Arguments as _, Encode, FromRow, Postgres, Sqlite, Type};

use super::{Batch, Conn, DbError, Queries, Statement};

/// A statement and what is bound to it, for one engine. That it is a value, run by functions that know neither the
/// statement nor its caller, keeps their code from being compiled once for each of the many statements.
#[derive(Debug)]
#[must_use = "what was put off is run along with it"]
pub struct Bound {
    name: &'static str,
    values: Values,
}

#[derive(Debug)]
enum Values {
    /// Behind what was put off until now.
    Sqlite(Batch),
    Postgres {
        sql: &'static str,
        arguments: PgArguments,
        fault: Option<BoxDynError>,
    },
}

/// What a query found.
#[derive(Debug)]
enum Rows {
    Sqlite(Vec<SqliteRow>),
    Postgres(Vec<PgRow>),
}

/// How many rows a query is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    First,
    All,
}

impl Bound {
    /// The statement in the words of the engine that `on` speaks to. What was put off on it is run along with this.
    pub fn of(on: &mut impl Queries, statement: Statement) -> Self {
        let batch = on.batch();
        let values = match on.conn() {
            Conn::Sqlite(_) => Values::Sqlite(batch.then(statement.sqlite)),
            Conn::Postgres(_) => Values::Postgres {
                sql: statement.postgres,
                arguments: PgArguments::default(),
                fault: None,
            },
        };
        Self { name: statement.name, values }
    }

    /// The same with the next value bound.
    pub fn bind<'q, T>(mut self, value: T) -> Self
    where
        T: Encode<'q, Sqlite> + Type<Sqlite> + Encode<'q, Postgres> + Type<Postgres>,
    {
        self.values = match self.values {
            Values::Sqlite(batch) => Values::Sqlite(batch.bind(value)),
            Values::Postgres { sql, mut arguments, mut fault } => {
                if let Err(refused) = arguments.add(value) {
                    fault.get_or_insert(refused);
                }
                Values::Postgres { sql, arguments, fault }
            }
        };
        self
    }

    /// Runs it; gives the number of rows that it changed.
    ///
    /// # Errors
    /// If the engine refuses.
    pub async fn execute(self, conn: Conn<'_>) -> Result<u64, DbError> {
        let name = self.name;
        self.run(conn).await.map_err(|source| DbError::Statement { statement: name, source })
    }

    /// Every row that it finds.
    ///
    /// # Errors
    /// If the engine refuses, or a row is not a `T`.
    pub async fn fetch_all<T>(self, conn: Conn<'_>) -> Result<Vec<T>, DbError>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    {
        let name = self.name;
        let rows = self.rows(conn, Wanted::All).await;
        rows.and_then(Rows::read).map_err(|source| DbError::Statement { statement: name, source })
    }

    /// The first row that it finds, if any.
    ///
    /// # Errors
    /// If the engine refuses, or the row is not a `T`.
    pub async fn fetch_optional<T>(self, conn: Conn<'_>) -> Result<Option<T>, DbError>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    {
        let name = self.name;
        let rows = self.rows(conn, Wanted::First).await;
        rows.and_then(Rows::read)
            .map(|mut found| found.pop())
            .map_err(|source| DbError::Statement { statement: name, source })
    }

    /// The row that it always finds.
    ///
    /// # Errors
    /// If the engine refuses, there is none, or it is not a `T`.
    pub async fn fetch_one<T>(self, conn: Conn<'_>) -> Result<T, DbError>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    {
        let statement = self.name;
        let found = self.fetch_optional(conn).await?;
        found.ok_or(DbError::Statement { statement, source: sqlx::Error::RowNotFound })
    }

    /// The statements that go to SQLite together.
    pub(super) fn into_batch(self) -> Result<Batch, DbError> {
        match self.values {
            Values::Sqlite(batch) => Ok(batch),
            values => Err(DbError::Statement { statement: self.name, source: values.fault() }),
        }
    }

    async fn run(self, conn: Conn<'_>) -> Result<u64, sqlx::Error> {
        match (self.values, conn) {
            (Values::Sqlite(batch), Conn::Sqlite(conn)) => batch.execute(conn).await,
            (Values::Postgres { sql, arguments, fault: None }, Conn::Postgres(conn)) => {
                let done = sqlx::query_with(sql, arguments).execute(conn).await?;
                Ok(done.rows_affected())
            }
            (values, _) => Err(values.fault()),
        }
    }

    async fn rows(self, conn: Conn<'_>, wanted: Wanted) -> Result<Rows, sqlx::Error> {
        match (self.values, conn) {
            (Values::Sqlite(batch), Conn::Sqlite(conn)) => {
                let (sql, arguments) = batch.into_query()?;
                let query = sqlx::query_with(sql, arguments);
                Ok(Rows::Sqlite(match wanted {
                    Wanted::All => query.fetch_all(conn).await?,
                    Wanted::First => query.fetch_optional(conn).await?.into_iter().collect(),
                }))
            }
            (Values::Postgres { sql, arguments, fault: None }, Conn::Postgres(conn)) => {
                let query = sqlx::query_with(sql, arguments);
                Ok(Rows::Postgres(match wanted {
                    Wanted::All => query.fetch_all(conn).await?,
                    Wanted::First => query.fetch_optional(conn).await?.into_iter().collect(),
                }))
            }
            (values, _) => Err(values.fault()),
        }
    }
}

impl Values {
    /// Why these cannot be run.
    fn fault(self) -> sqlx::Error {
        match self {
            Self::Postgres { fault: Some(fault), .. } => sqlx::Error::Encode(fault),
            _ => sqlx::Error::Protocol(String::from("bound for another engine than it is run on")),
        }
    }
}

impl Rows {
    fn read<T>(self) -> Result<Vec<T>, sqlx::Error>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    {
        match self {
            Self::Sqlite(rows) => rows.iter().map(T::from_row).collect(),
            Self::Postgres(rows) => rows.iter().map(T::from_row).collect(),
        }
    }
}
