//! Statements that go to SQLite's thread together: one way there and back instead of one each.

use futures_util::TryStreamExt as _;
use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteArguments;
use sqlx::{
    Arguments as _, AssertSqlSafe, Either, Encode, Executor as _, SqlSafeStr as _, SqlStr, Sqlite,
    SqliteConnection, Type,
};

/// Statements in order, with what is bound to them; sent as one text.
#[derive(Debug, Default)]
pub struct Batch {
    /// Each with the number of values bound before its own.
    texts: Vec<(&'static str, usize)>,
    arguments: SqliteArguments,
    fault: Option<BoxDynError>,
}

impl Batch {
    /// The same with one statement more, whose values are bound next.
    #[must_use]
    pub fn then(mut self, sql: &'static str) -> Self {
        self.texts.push((sql, self.arguments.len()));
        self
    }

    /// The same with the next value of the last statement bound.
    #[must_use]
    pub fn bind<'q>(mut self, value: impl Encode<'q, Sqlite> + Type<Sqlite>) -> Self {
        if let Err(fault) = self.arguments.add(value) {
            self.fault.get_or_insert(fault);
        }
        self
    }

    /// The text, and the values in it.
    ///
    /// # Errors
    /// If a value could not be bound.
    pub fn into_query(self) -> Result<(SqlStr, SqliteArguments), sqlx::Error> {
        if let Some(fault) = self.fault {
            return Err(sqlx::Error::Encode(fault));
        }
        let sql = match self.texts.as_slice() {
            [(only, _)] => SqlStr::from_static(only),
            texts => AssertSqlSafe(joined(texts)).into_sql_str(),
        };
        Ok((sql, self.arguments))
    }

    /// Runs them; gives the number of rows that the last one changed. After a failure the rest is not run.
    ///
    /// # Errors
    /// What the engine said of the first that failed.
    pub async fn execute(self, conn: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
        let (sql, arguments) = self.into_query()?;
        let mut results = conn.fetch_many(sqlx::query_with(sql, arguments));
        let mut n_changed = 0;
        while let Some(result) = results.try_next().await? {
            if let Either::Left(done) = result {
                n_changed = done.rows_affected();
            }
        }
        Ok(n_changed)
    }
}

/// One text of several: `$1` of each becomes the number that its value has among all.
fn joined(texts: &[(&'static str, usize)]) -> String {
    let mut all = String::with_capacity(texts.iter().map(|(sql, _)| sql.len() + 16).sum());
    for &(sql, n_before) in texts {
        let mut parts = sql.split('$');
        all.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let n_digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = part.split_at(n_digits);
            let number = number.parse::<usize>().map_or(0, |number| number + n_before);
            all.push('$');
            all.push_str(&number.to_string());
            all.push_str(rest);
        }
        all.push(';');
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_through_all_statements() {
        let texts = [("INSERT INTO a VALUES ($1, $2)", 0), ("RELEASE b", 2), ("SELECT $1+$1", 2)];
        assert_eq!(joined(&texts), "INSERT INTO a VALUES ($1, $2);RELEASE b;SELECT $3+$3;");
    }

    #[tokio::test]
    async fn a_batch_runs_in_order_and_counts_the_rows_of_the_last() {
        use sqlx::Connection as _;
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let batch = Batch::default().then("CREATE TABLE t (a BIGINT UNIQUE)");
        let batch = batch.then("INSERT INTO t VALUES ($1), ($2)").bind(1).bind(2);
        let batch = batch.then("UPDATE t SET a = $2 WHERE a = $1").bind(2).bind(3);
        assert_eq!(batch.execute(&mut conn).await.unwrap(), 1);
        let failing = Batch::default().then("INSERT INTO t VALUES ($1)").bind(3);
        let failing = failing.then("DELETE FROM t");
        assert!(failing.execute(&mut conn).await.is_err(), "3 is there already");
        let (sql, arguments) = Batch::default().then("SELECT a FROM t").into_query().unwrap();
        let rows: Vec<(i64,)> =
            sqlx::query_as_with(sql, arguments).fetch_all(&mut conn).await.unwrap();
        assert_eq!(rows, [(1,), (3,)], "what stood behind the failure was not run");
    }
}
