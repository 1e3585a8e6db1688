//! What every page and form stands on: the visit, the page, the form, the refusal, and the guard around them all.

mod budget;
mod filled;
mod form;
mod guard;
mod page;
mod refusal;
mod stored;
mod submit;
mod visit;

pub use budget::{Budgets, network};
pub use filled::{Filled, SUBMIT_ID_GAP};
pub use form::{BODY_BYTES_MAX, FieldError, FormBody, FormErrors, SEND};
pub(crate) use guard::RefusalPage;
pub use guard::{guard, is_same_site};
pub use page::{Cache, Chrome, OpenGraph, html};
pub use refusal::{Incident, Refusal};
pub use stored::Stored;
pub use submit::{FORM_TIME_MIN_MS, Once, STATEMENTS as SUBMIT_STATEMENTS, Submit, SubmitFault};
pub use submit::{forget_old as forget_old_submissions, issue as issue_submit_id, led_to, once};
pub use visit::{Visit, is_local, see_other};
