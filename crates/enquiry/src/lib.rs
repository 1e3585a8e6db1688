//! Getting in touch: the form, what is kept of it, the mail to the provider and the receipt to the person.
//!
//! One transaction stores the enquiry and queues both mails, so that neither can exist without the other. An enquiry is kept
//! and reaches the provider whatever becomes of the receipt, which is limited, because anybody can type anybody's address.

mod holding;
mod mail;
mod model;
mod pages;
mod samples;
mod sent;
mod store;

pub use holding::holding;
pub use mail::templates;
pub use model::{Enquiry, MESSAGE_CHARS_MAX, Topic, reference};
pub use pages::{Attach, routes};
pub use samples::samples;
pub use store::{STATEMENTS, by_state};
