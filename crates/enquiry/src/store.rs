//! The enquiries' SQL.

use base::db::{DbError, Queries, Tx};

use crate::model::Enquiry;

base::statements! {
    ADD = "INSERT INTO enquiry (id, name, address, address_key, phone, organisation, topic, programme, message, profile, state, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    BY_ID = "SELECT id, name, address, address_key, phone, organisation, topic, programme, message, profile, state, created_ms FROM enquiry WHERE id = $1";
    BY_STATE = "SELECT id, name, address, address_key, phone, organisation, topic, programme, message, profile, state, created_ms FROM enquiry WHERE $1 = '' OR state = $1 ORDER BY created_ms, id";
    OF_ADDRESS = "SELECT id, name, address, address_key, phone, organisation, topic, programme, message, profile, state, created_ms FROM enquiry WHERE address_key = $1 ORDER BY created_ms, id";
    ERASE = "DELETE FROM enquiry WHERE address_key = $1 RETURNING id";
}

pub(crate) async fn add(tx: &mut Tx, enquiry: &Enquiry) -> Result<(), DbError> {
    let e = enquiry;
    base::later!(
        tx,
        ADD,
        &e.id,
        &e.name,
        &e.address,
        &e.address_key,
        &e.phone,
        &e.organisation,
        &e.topic,
        &e.programme,
        &e.message,
        &e.profile,
        &e.state,
        e.created_ms
    )
}

pub(crate) async fn by_id(on: &mut impl Queries, id: &str) -> Result<Option<Enquiry>, DbError> {
    base::fetch!(fetch_optional => Enquiry, on, BY_ID, id)
}

/// Every enquiry, or those in `state` (`new` or `answered`), oldest first.
///
/// # Errors
/// If the database fails.
pub async fn by_state(on: &mut impl Queries, state: &str) -> Result<Vec<Enquiry>, DbError> {
    base::fetch!(fetch_all => Enquiry, on, BY_STATE, state)
}

pub(crate) async fn of_address(
    on: &mut impl Queries,
    address_key: &str,
) -> Result<Vec<Enquiry>, DbError> {
    base::fetch!(fetch_all => Enquiry, on, OF_ADDRESS, address_key)
}

/// Deletes every enquiry that gave this address; gives their ids.
pub(crate) async fn erase(tx: &mut Tx, address_key: &str) -> Result<Vec<String>, DbError> {
    let rows = base::fetch!(fetch_all => (String,), tx, ERASE, address_key)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
