//! One statement, either engine: the same expression is pasted into both arms.

/// Declares statements as constants and gathers them into `STATEMENTS`, the module's catalogue.
///
/// ```text
/// base::statements! {
///     CONTACT_BY_ID = "SELECT id, name FROM contact WHERE id = $1";
///     CLAIM = sqlite "UPDATE …", postgres "UPDATE … FOR UPDATE SKIP LOCKED …";
/// }
/// ```
#[macro_export]
macro_rules! statements {
    (@one $name:ident = $sql:literal) => {
        const $name: $crate::db::Statement =
            $crate::db::Statement { name: stringify!($name), sqlite: $sql, postgres: $sql };
    };
    (@one $name:ident = sqlite $sqlite:literal, postgres $postgres:literal) => {
        const $name: $crate::db::Statement = $crate::db::Statement {
            name: stringify!($name),
            sqlite: $sqlite,
            postgres: $postgres,
        };
    };
    ($($name:ident = $($engine:ident)? $sql:literal $(, postgres $postgres:literal)?;)+) => {
        $($crate::statements!(@one $name = $($engine)? $sql $(, postgres $postgres)?);)+
        /// Every statement of this module, for the test that has both engines parse them.
        pub const STATEMENTS: &[$crate::db::Statement] = &[$($name),+];
    };
}

/// Runs a statement; gives the number of rows it changed.
#[macro_export]
macro_rules! execute {
    ($on:expr, $statement:expr $(, $bind:expr)* $(,)?) => {{
        let statement: $crate::db::Statement = $statement;
        match &mut *$on {
            on => {
                let batch = $crate::db::Queries::batch(on);
                match $crate::db::Queries::conn(on) {
                    $crate::db::Conn::Sqlite(conn) => {
                        let batch = batch.then(statement.sqlite)$(.bind($bind))*;
                        batch.execute(&mut *conn).await
                    }
                    $crate::db::Conn::Postgres(conn) => {
                        ::sqlx::query(statement.postgres)$(.bind($bind))*.execute(&mut *conn).await
                            .map(|done| done.rows_affected())
                    }
                }
            }
        }
        .map_err(|source| $crate::db::DbError::Statement { statement: statement.name, source })
    }};
}

/// Runs a statement of a transaction whose outcome nobody reads. SQLite gets it together with the next statement that is
/// waited for, or at the commit, and a failure shows there; PostgreSQL gets it at once.
#[macro_export]
macro_rules! later {
    ($tx:expr, $statement:expr $(, $bind:expr)* $(,)?) => {{
        let statement: $crate::db::Statement = $statement;
        let tx: &mut $crate::db::Tx = &mut *$tx;
        match $crate::db::Queries::conn(tx) {
            $crate::db::Conn::Sqlite(_) => {
                let batch = $crate::db::Queries::batch(tx)
                    .then(statement.sqlite)$(.bind($bind))*;
                tx.put_off(batch);
                Ok(())
            }
            $crate::db::Conn::Postgres(conn) => {
                ::sqlx::query(statement.postgres)$(.bind($bind))*.execute(&mut *conn).await
                    .map(|_| ())
            }
        }
        .map_err(|source| $crate::db::DbError::Statement { statement: statement.name, source })
    }};
}

/// Runs a query for a `FromRow` type with the named method of `sqlx` (`fetch_one`, `fetch_optional`, `fetch_all`).
#[macro_export]
macro_rules! fetch {
    ($method:ident => $row:ty, $on:expr, $statement:expr $(, $bind:expr)* $(,)?) => {{
        let statement: $crate::db::Statement = $statement;
        match &mut *$on {
            on => {
                let batch = $crate::db::Queries::batch(on);
                match $crate::db::Queries::conn(on) {
                    $crate::db::Conn::Sqlite(conn) => {
                        let batch = batch.then(statement.sqlite)$(.bind($bind))*;
                        match batch.into_query() {
                            Ok((sql, arguments)) => {
                                ::sqlx::query_as_with::<_, $row, _>(sql, arguments)
                                    .$method(&mut *conn).await
                            }
                            Err(fault) => Err(fault),
                        }
                    }
                    $crate::db::Conn::Postgres(conn) => {
                        ::sqlx::query_as::<_, $row>(statement.postgres)$(.bind($bind))*
                            .$method(&mut *conn).await
                    }
                }
            }
        }
        .map_err(|source| $crate::db::DbError::Statement { statement: statement.name, source })
    }};
}
