//! One statement, either engine.

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
    ($on:expr, $statement:expr $(, $bind:expr)* $(,)?) => {
        match &mut *$on {
            on => {
                let bound = $crate::db::Bound::of(on, $statement)$(.bind($bind))*;
                bound.execute($crate::db::Queries::conn(on)).await
            }
        }
    };
}

/// Runs a statement of a transaction whose outcome nobody reads: see [`Tx::put_off`](crate::db::Tx::put_off).
#[macro_export]
macro_rules! later {
    ($tx:expr, $statement:expr $(, $bind:expr)* $(,)?) => {
        match &mut *$tx {
            tx => {
                let bound = $crate::db::Bound::of(tx, $statement)$(.bind($bind))*;
                tx.put_off(bound).await
            }
        }
    };
}

/// Runs a query for a `FromRow` type by the named method of [`Bound`](crate::db::Bound) (`fetch_one`, `fetch_optional`,
/// `fetch_all`).
#[macro_export]
macro_rules! fetch {
    ($method:ident => $row:ty, $on:expr, $statement:expr $(, $bind:expr)* $(,)?) => {
        match &mut *$on {
            on => {
                let bound = $crate::db::Bound::of(on, $statement)$(.bind($bind))*;
                bound.$method::<$row>($crate::db::Queries::conn(on)).await
            }
        }
    };
}
