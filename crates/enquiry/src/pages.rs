//! The form and what becomes of it.

use std::sync::Arc;

use askama::Template;
use audience::Person;
use axum::Router;
use axum::extract::{FromRef, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use base::address::EmailAddress;
use base::db::{DbError, Reader, Tx};
use base::house::House;
use base::http::{
    Cache, Chrome, FormBody, FormErrors, Once, Refusal, SEND, Submit, Visit, html, once, see_other,
};
use base::mail::NewMessage;
use futures_util::future::BoxFuture;
use publishing::Publication;

use crate::mail::{RECEIPT, TO_PROVIDER};
use crate::model::{self, Draft, Enquiry, Topic};
use crate::sent::{sent, sent_path};
use crate::store;

/// The form's name in its submit ids.
const FORM: &str = "contact";
/// Every field that the form has; `website` is the trap for machines.
const FIELDS: [&str; 11] = [
    "name",
    "email",
    "phone",
    "organisation",
    "topic",
    "programme",
    "message",
    "attach",
    "report",
    "website",
    "submit_id",
];

/// Gives the text of the profile behind a report's token, or nothing if the token opens no report.
pub type Attach = for<'a> fn(
    &'a mut Reader,
    &'a House,
    &'a str,
) -> BoxFuture<'a, Result<Option<String>, DbError>>;

/// What every request of this capability shares.
#[derive(Clone)]
struct Desk {
    house: Arc<House>,
    /// Slug and title, in the provider's order.
    programmes: Arc<[(String, String)]>,
    attach: Attach,
}

impl FromRef<Desk> for Arc<House> {
    fn from_ref(desk: &Desk) -> Self {
        Arc::clone(&desk.house)
    }
}

/// The form at `/contact` and the page after it; `attach` reads the profile that a person may send along.
pub fn routes(house: Arc<House>, publication: &Publication, attach: Attach) -> Router {
    let programmes = publication.programmes.iter();
    let programmes = programmes.map(|p| (p.slug.clone(), p.front.title.clone())).collect();
    Router::new()
        .route("/contact", get(form).post(send))
        .route("/contact/sent/{token}", get(sent))
        .with_state(Desk { house, programmes, attach })
}

/// What stands in the form's fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    pub name: String,
    pub email: String,
    pub phone: String,
    pub organisation: String,
    pub topic: String,
    pub programme: String,
    pub message: String,
    pub report: String,
    pub attach: bool,
}

#[derive(Template)]
#[template(path = "contact.html")]
pub(crate) struct ContactPage<'a> {
    pub chrome: Chrome,
    pub contact: &'a base::site::Contact,
    pub errors: FormErrors,
    pub values: Values,
    /// Slug and title.
    pub programmes: &'a [(String, String)],
    /// The profile that may be sent along, if there is one.
    pub profile: Option<String>,
    pub submit_id: String,
}

impl ContactPage<'_> {
    fn topics(&self) -> [(&'static str, &'static str); 4] {
        Topic::ALL.map(|topic| (topic.as_str(), topic.label()))
    }
}

async fn form(
    State(desk): State<Desk>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = FormBody::parse(query.unwrap_or_default().as_bytes())?;
    let profile = desk.profile(query.get("report")).await?;
    let mut values = Values::default();
    if desk.knows(query.get("programme")) {
        values.topic = Topic::Programme.as_str().to_owned();
        values.programme = query.get("programme").to_owned();
    }
    if profile.is_some() {
        values.topic = Topic::Result.as_str().to_owned();
        values.report = query.get("report").to_owned();
    }
    // The plain form may be found by search engines; one that came with a private link may not.
    let cache = if query.has("report") { Cache::Private } else { Cache::Fresh };
    let submit_id = visit.submit_id(FORM);
    let page = desk.page(&visit, FormErrors::default(), values, profile, submit_id);
    html(StatusCode::OK, cache, &page)
}

async fn send(State(desk): State<Desk>, visit: Visit, form: FormBody) -> Result<Response, Refusal> {
    let profile = desk.profile(form.get("report")).await?;
    let (submit, draft) = match check(&desk, &visit, &form, profile.as_deref()) {
        Ok(checked) => checked,
        Err(errors) => {
            let page = desk.page_again(&visit, &form, errors, profile);
            return visit.show_faults(&page);
        }
    };
    let id = visit.house.chance.id(visit.now_ms);
    let outcome = sent_path(&visit.house.keys, &id, draft.topic);
    let is_trapped = !form.get("website").is_empty();
    if is_trapped {
        tracing::info!("A form of which the trap was filled in is answered and not kept");
    }
    let attached = profile.as_deref().filter(|_| draft.wants_attachment).unwrap_or_default();
    let enquiry = new_enquiry(&visit, id, draft, attached.to_owned());
    match record(&desk, &visit, &submit, &form.hash, &enquiry, is_trapped, &outcome).await {
        Err(Refusal::TooMany { retry_after_s }) => {
            let page = desk.page_again(&visit, &form, FormErrors::too_many(), profile);
            visit.show_too_many(&page, retry_after_s)
        }
        led_to => Ok(see_other(&led_to?)),
    }
}

const UNKNOWN_FIELD: &str =
    "The form held something that it does not ask for. Your words are kept: please send it again";
const REPORT_GONE: &str = "Your result can no longer be attached: its link has been replaced or deleted. \
     Please send the message without it";

/// Whether a form may be acted on: its submit id, its fields, and what it wants to attach.
fn check(
    desk: &Desk,
    visit: &Visit,
    form: &FormBody,
    profile: Option<&str>,
) -> Result<(Submit, Draft), FormErrors> {
    let mut errors = FormErrors::default();
    let submit = visit.check_submit(FORM, form.get("submit_id"));
    let draft = model::read(form, |slug| desk.knows(slug));
    match &draft {
        Err(faults) => errors.0.extend(faults.0.iter().cloned()),
        Ok(draft) if draft.wants_attachment && profile.is_none() => {
            errors.add("message", REPORT_GONE);
        }
        Ok(_) => {}
    }
    if form.unknown_field(&FIELDS, &[]).is_some() {
        errors.add(SEND, UNKNOWN_FIELD);
    }
    if let Err(fault) = &submit {
        errors.add(SEND, fault.message());
    }
    match (submit, draft) {
        (Ok(submit), Ok(draft)) if errors.is_empty() => Ok((submit, draft)),
        _ => Err(errors),
    }
}

fn new_enquiry(visit: &Visit, id: String, draft: Draft, profile: String) -> Enquiry {
    Enquiry {
        id,
        name: draft.name,
        address: draft.address.address,
        address_key: draft.address.key,
        phone: draft.phone,
        organisation: draft.organisation,
        topic: draft.topic.as_str().to_owned(),
        programme: draft.programme,
        message: draft.message,
        profile,
        state: String::from("new"),
        created_ms: visit.now_ms,
    }
}

/// One transaction: the submission, the enquiry, the mails. Gives where this submission led, now or before. From a form whose
/// trap was filled in the same is written and undone, so that its time tells no more than the answer.
async fn record(
    desk: &Desk,
    visit: &Visit,
    submit: &Submit,
    body_hash: &str,
    enquiry: &Enquiry,
    is_trapped: bool,
    outcome: &str,
) -> Result<String, Refusal> {
    let mut tx = visit.house.db.begin().await?;
    if let Once::Again(led_to) = once(&mut tx, submit, body_hash, outcome, visit.now_ms).await? {
        tx.commit().await?;
        return Ok(led_to);
    }
    // Only a form that is new counts, so that a second click never costs anything.
    visit.take_budget()?;
    tx.mark().await?;
    store::add(&mut tx, enquiry).await?;
    let has_receipt = queue_receipt(&mut tx, visit, enquiry, is_trapped).await?;
    let to_provider = NewMessage {
        id: &enquiry.id,
        kind: TO_PROVIDER,
        contact_id: None,
        to_address: &visit.house.site.provider.email,
        params: serde_json::json!({
            "enquiry": enquiry.id,
            "programme": desk.title(&enquiry.programme),
            "receipt": has_receipt,
        }),
    };
    base::mail::queue(&mut tx, &to_provider, visit.now_ms).await?;
    tx.settle(!is_trapped).await?;
    tx.commit().await?;
    visit.house.mail_queued.notify_one();
    Ok(outcome.to_owned())
}

/// Queues the receipt, unless the address is suppressed or has had its share, or the form's trap was filled in; gives whether it
/// did. The work is the same.
///
/// The address becomes a contact, pending if it is new: that is what the receipt's links to preferences stand on.
async fn queue_receipt(
    tx: &mut Tx,
    visit: &Visit,
    enquiry: &Enquiry,
    is_trapped: bool,
) -> Result<bool, DbError> {
    let (address, key) = (enquiry.address.clone(), enquiry.address_key.clone());
    let person = Person { name: enquiry.name.clone(), ..Person::at(EmailAddress { address, key }) };
    tx.mark().await?;
    let admitted = audience::admit(tx, visit, &person, RECEIPT).await?.trapped(is_trapped);
    let contact = &admitted.contact;
    let goes = admitted.take_share(visit);
    let receipt = NewMessage {
        id: &visit.house.chance.id(visit.now_ms),
        kind: RECEIPT,
        contact_id: Some(&contact.id),
        to_address: &contact.address,
        params: serde_json::json!({ "enquiry": enquiry.id }),
    };
    base::mail::queue_if(tx, goes, &receipt, visit.now_ms).await?;
    tx.settle(admitted.stands()).await?;
    Ok(goes)
}

impl Desk {
    fn knows(&self, slug: &str) -> bool {
        self.programmes.iter().any(|(known, _)| known == slug)
    }

    fn title(&self, slug: &str) -> &str {
        self.programmes.iter().find(|(known, _)| known == slug).map_or("", |(_, title)| title)
    }

    async fn profile(&self, token: &str) -> Result<Option<String>, DbError> {
        if token.is_empty() {
            return Ok(None);
        }
        let mut reader = self.house.db.reader().await?;
        (self.attach)(&mut reader, &self.house, token).await
    }

    fn page(
        &self,
        visit: &Visit,
        errors: FormErrors,
        values: Values,
        profile: Option<String>,
        submit_id: String,
    ) -> ContactPage<'_> {
        let mut chrome = visit.chrome(&self.house.site.contact.heading);
        if errors.is_empty() && profile.is_none() {
            chrome = chrome.public(&self.house, &self.house.site.contact.introduction);
        }
        ContactPage {
            chrome: chrome.with_errors(!errors.is_empty()),
            contact: &self.house.site.contact,
            errors,
            values,
            programmes: &self.programmes,
            profile,
            submit_id,
        }
    }

    /// The same form with its words kept.
    fn page_again(
        &self,
        visit: &Visit,
        form: &FormBody,
        errors: FormErrors,
        profile: Option<String>,
    ) -> ContactPage<'_> {
        let text = |name: &str| form.get(name).to_owned();
        let values = Values {
            name: text("name"),
            email: text("email"),
            phone: text("phone"),
            organisation: text("organisation"),
            topic: text("topic"),
            programme: text("programme"),
            message: text("message"),
            report: profile.as_ref().map(|_| text("report")).unwrap_or_default(),
            attach: form.get("attach") == "yes",
        };
        let submit_id = visit.submit_id_again(FORM, form.get("submit_id"));
        self.page(visit, errors, values, profile, submit_id)
    }
}
