//! The page after the form, the same for everybody.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use base::encode;
use base::http::{Chrome, Refusal, Visit};
use base::keys::Keys;
use subtle::ConstantTimeEq as _;

use crate::model::{Topic, reference};

#[derive(Template)]
#[template(path = "sent.html")]
pub(crate) struct SentPage<'a> {
    pub chrome: Chrome,
    pub reference: String,
    pub is_complaint: bool,
    pub promise: &'a str,
}

/// The title of the page.
pub(crate) fn title(is_complaint: bool) -> &'static str {
    if is_complaint { "Your complaint is with us" } else { "Your message is with us" }
}

pub(crate) async fn sent(visit: Visit, Path(token): Path<String>) -> Result<Response, Refusal> {
    let (id, is_complaint) = read_sent(&visit.house.keys, &token).ok_or(Refusal::DeadLink)?;
    let chrome = visit.chrome(title(is_complaint));
    let promise = &visit.house.site.contact.reply_promise;
    visit.show(&SentPage { chrome, reference: reference(&id), is_complaint, promise })
}

/// Bytes kept of the HMAC in the address of the page after the form.
const SENT_MAC_BYTES: usize = 16;

/// The address of the page after the form. It proves itself, so that the page needs no row: a form whose trap was filled in has
/// none, and must look the same.
pub(crate) fn sent_path(keys: &Keys, id: &str, topic: Topic) -> String {
    let id = uuid::Uuid::try_parse(id).unwrap_or_default();
    let mut bytes = Vec::with_capacity(17 + SENT_MAC_BYTES);
    bytes.extend_from_slice(id.as_bytes());
    bytes.push(u8::from(topic == Topic::Complaint));
    let mac = keys.mac(&[b"enquiry:sent", &bytes]);
    bytes.extend_from_slice(&mac[..SENT_MAC_BYTES]);
    format!("/contact/sent/{}", encode::base64url(&bytes))
}

/// The enquiry's id and whether it is a complaint.
fn read_sent(keys: &Keys, token: &str) -> Option<(String, bool)> {
    let bytes = encode::from_base64url(token)?;
    let (signed, given) = bytes.split_first_chunk::<17>()?;
    let mac = keys.mac(&[b"enquiry:sent", signed]);
    let is_ours: bool = mac[..SENT_MAC_BYTES].ct_eq(given).into();
    let id = uuid::Uuid::from_slice(&signed[..16]).ok()?;
    is_ours.then(|| (id.to_string(), signed[16] == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_after_the_form_opens_for_our_own_addresses_only() {
        let keys = Keys::from_bytes([1; 32]);
        let id = "019ab4f0-5c00-7000-8000-0000000000ff";
        for (topic, is_complaint) in [(Topic::General, false), (Topic::Complaint, true)] {
            let path = sent_path(&keys, id, topic);
            let token = path.rsplit('/').next().unwrap();
            assert_eq!(read_sent(&keys, token), Some((id.to_owned(), is_complaint)));
            assert_eq!(read_sent(&Keys::from_bytes([2; 32]), token), None);
            assert_eq!(read_sent(&keys, &token[..40]), None);
        }
        assert_eq!(read_sent(&keys, ""), None);
        assert_eq!(
            sent_path(&keys, id, Topic::General).len(),
            sent_path(&keys, id, Topic::Complaint).len()
        );
    }
}
