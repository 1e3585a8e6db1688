//! What this capability holds about a contact: every enquiry that gave their address, and the mails made of them.

use audience::{Contact, Export, Holding};
use base::clock;
use base::db::{DbError, Reader, Tx};
use base::house::House;
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::model::reference;
use crate::store;

/// The enquiries that gave a contact's address, for the archive of their data and for erasure.
#[must_use]
pub fn holding() -> Holding {
    Holding { export, erase, keeps }
}

fn export<'a>(
    reader: &'a mut Reader,
    contact: &'a Contact,
) -> BoxFuture<'a, Result<Vec<Export>, DbError>> {
    Box::pin(async move {
        let enquiries = store::of_address(reader, &contact.address_key).await?;
        let records = enquiries.iter().map(|e| {
            json!({
                "reference": reference(&e.id), "sent": clock::rfc_3339(e.created_ms),
                "name": e.name, "address": e.address, "phone": e.phone,
                "organisation": e.organisation, "topic": e.topic, "programme": e.programme,
                "message": e.message, "attached_result": e.profile, "state": e.state,
            })
        });
        Ok(vec![Export { file: String::from("enquiries"), json: records.collect() }])
    })
}

/// The provider's mail has the enquiry's id, so that it can be found again; the receipt goes with the contact's other mails.
fn erase<'a>(
    tx: &'a mut Tx,
    _house: &'a House,
    contact: &'a Contact,
    _keeps_research: bool,
) -> BoxFuture<'a, Result<(), DbError>> {
    Box::pin(async move {
        for id in store::erase(tx, &contact.address_key).await? {
            base::mail::forget(tx, &id).await?;
        }
        Ok(())
    })
}

/// An enquiry lasts until it is no longer needed, and so does the contact by whose links its writer may copy or erase it.
fn keeps<'a>(reader: &'a mut Reader, contact: &'a Contact) -> BoxFuture<'a, Result<bool, DbError>> {
    Box::pin(async move { Ok(!store::of_address(reader, &contact.address_key).await?.is_empty()) })
}
