//! Handing a letter over: to a mail server, or to the built-in mailbox.

use std::time::{Duration, SystemTime};

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::{Letter, Outgoing};
use crate::config::SmtpUrl;
use crate::house::House;

/// The longest single wait in an SMTP conversation (RFC 5321 4.5.3.2 allows 10 minutes; the lease must outlast the sum).
const SMTP_TIMEOUT: Duration = Duration::from_secs(120);

/// Where letters are handed over.
#[derive(Clone, Debug)]
pub enum Transport {
    /// A mail server.
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    /// The built-in mailbox.
    Mailbox,
}

/// Why a letter was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may be taken later.
    Transient(String),
    /// It will never be taken.
    Permanent(String),
}

impl Transport {
    /// The transport to the configured server, or the built-in mailbox.
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub fn new(smtp: Option<&SmtpUrl>) -> Result<Self, String> {
        let Some(smtp) = smtp else { return Ok(Self::Mailbox) };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&smtp.url)
            .map_err(|e| format!("smtp-url: {e}. Write smtps://user:password@host"))?;
        if let Some(tls) = trusting(smtp)? {
            builder = builder.tls(tls);
        }
        Ok(Self::Smtp(builder.timeout(Some(SMTP_TIMEOUT)).build()))
    }

    /// Hands a composed message to the server; the mailbox takes everything.
    pub(super) async fn send(&self, message: Message) -> Result<String, Failure> {
        let Self::Smtp(smtp) = self else {
            return Ok(String::from("kept in the built-in mailbox"));
        };
        match smtp.send(message).await {
            Ok(reply) => Ok(reply.message().collect::<Vec<_>>().join(" ")),
            Err(e) if e.is_permanent() => Err(Failure::Permanent(chain(&e))),
            Err(e) => Err(Failure::Transient(chain(&e))),
        }
    }
}

/// How the connection is protected where authorities of one's own are to be trusted too.
fn trusting(smtp: &SmtpUrl) -> Result<Option<Tls>, String> {
    let Some(authorities) = smtp.authorities.as_ref().filter(|_| !smtp.plain) else {
        return Ok(None);
    };
    let fault = |e| {
        let what = chain(&e);
        format!("smtp-ca-file: {what}. Name a file with the authority's certificate in PEM")
    };
    let url: http::Uri = smtp.url.parse().map_err(|e| format!("smtp-url: {e}"))?;
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    let parameters = TlsParameters::builder(host.to_owned())
        .add_root_certificate(Certificate::from_pem(authorities.as_bytes()).map_err(fault)?)
        .build()
        .map_err(fault)?;
    let is_wrapped = url.scheme_str() == Some("smtps");
    Ok(Some(if is_wrapped { Tls::Wrapper(parameters) } else { Tls::Required(parameters) }))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(deeper) = source {
        let deeper_text = deeper.to_string();
        if !text.contains(&deeper_text) {
            text.push_str(": ");
            text.push_str(&deeper_text);
        }
        source = deeper.source();
    }
    text
}

/// Composes the message of RFC 5322 with its automatic-mail headers.
pub(super) fn compose(
    house: &House,
    outgoing: &Outgoing,
    letter: &Letter,
    created_ms: i64,
) -> Result<Message, String> {
    let from: Address = house.mail_from.parse().map_err(|e| format!("the sender: {e}"))?;
    let domain = from.domain().to_owned();
    let to: Address = outgoing.to_address.parse().map_err(|e| format!("the address: {e}"))?;
    let sent_at = SystemTime::UNIX_EPOCH
        + Duration::from_millis(u64::try_from(created_ms).unwrap_or_default());
    // Said outright: read back from the header, an address in quotation marks is lost.
    let envelope = Envelope::new(Some(from.clone()), vec![to.clone()]);
    let mut builder = Message::builder()
        .envelope(envelope.map_err(|e| format!("the envelope: {e}"))?)
        .from(Mailbox::new(Some(house.site.provider.name.clone()), from))
        .to(Mailbox::new(None, to))
        .subject(letter.subject.clone())
        .date(sent_at)
        .message_id(Some(format!("<{}@{domain}>", outgoing.id)));
    if let Some(reply_to) = &letter.reply_to {
        let address: Address = reply_to.parse().map_err(|e| format!("reply-to: {e}"))?;
        builder = builder.reply_to(Mailbox::new(None, address));
    }
    let mut message = builder
        .multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))
        .map_err(|e| format!("composing: {e}"))?;
    let mut add = |name: &'static str, value: String| {
        let name = HeaderName::new_from_ascii_str(name);
        message.headers_mut().insert_raw(HeaderValue::new(name, value));
    };
    // RFC 3834: nobody should answer this automatically.
    add("Auto-Submitted", String::from("auto-generated"));
    if let Some(unsubscribe) = &letter.unsubscribe {
        add("List-Unsubscribe", format!("<{unsubscribe}>"));
        // RFC 8058 speaks of HTTPS only.
        if unsubscribe.starts_with("https://") {
            add("List-Unsubscribe-Post", String::from("List-Unsubscribe=One-Click"));
        }
    }
    Ok(message)
}
