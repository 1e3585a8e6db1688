//! A form as it came in: URL-encoded, bounded, UTF-8 without NUL, before anything is believed of it.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, Limited};

use super::Refusal;
use crate::encode;
use crate::house::House;

/// Bytes of the largest form.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// The fields of a form, in order.
#[derive(Clone, Debug)]
pub struct FormBody {
    fields: Vec<(String, String)>,
    /// Keyed hash of the body as sent, in hexadecimal: what "the same form again" means. Keyed, so that what is kept of it
    /// cannot be tried against guesses of what was typed. Empty where no body was sent.
    pub hash: String,
}

impl FormBody {
    /// The value of the first field of that name, trimmed; empty if there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.trim())
    }

    /// Whether there is a field of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(n, _)| n == name)
    }

    /// Every field whose name starts with `prefix`, without the prefix.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.fields.iter().filter_map(move |(name, value)| {
            name.strip_prefix(prefix).map(|rest| (rest, value.trim()))
        })
    }

    /// The first field that is neither in `known` nor starts with one of `prefixes`.
    #[must_use]
    pub fn unknown_field(&self, known: &[&str], prefixes: &[&str]) -> Option<&str> {
        self.fields.iter().map(|(name, _)| name.as_str()).find(|name| {
            !known.contains(name) && !prefixes.iter().any(|prefix| name.starts_with(prefix))
        })
    }

    /// Reads URL-encoded bytes, such as an address's query.
    ///
    /// # Errors
    /// [`Refusal::Unreadable`] for broken UTF-8 or a NUL.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Vec::new();
        for pair in body.split(|&b| b == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |&b| b == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            fields.push((name, value));
        }
        Ok(Self { fields, hash: String::new() })
    }
}

fn decode(bytes: &[u8]) -> Result<String, Refusal> {
    let spaced: Vec<u8> = bytes.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
    let decoded: Vec<u8> = percent_encoding::percent_decode(&spaced).collect();
    let text = String::from_utf8(decoded).map_err(|_| Refusal::Unreadable)?;
    if text.contains('\0') { Err(Refusal::Unreadable) } else { Ok(text) }
}

impl<S> FromRequest<S> for FormBody
where
    Arc<House>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let essence = kind.split(';').next().unwrap_or("").trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Refusal::WrongType);
        }
        let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await;
        let body = match body {
            Ok(body) => body.to_bytes(),
            Err(e) if e.is::<http_body_util::LengthLimitError>() => return Err(Refusal::TooLarge),
            Err(_) => return Err(Refusal::Unreadable),
        };
        let mac = <Arc<House>>::from_ref(state).keys.mac(&[b"body", &body]);
        Ok(Self { hash: encode::hex(&mac), ..Self::parse(&body)? })
    }
}

/// One fault of a form, as shown in the summary and beside its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's id.
    pub field: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// The faults of a form; empty means it may be acted on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormErrors(pub Vec<FieldError>);

/// Where a form says what is wrong with the whole of it: its button, since nothing typed is wrong.
pub const SEND: &str = "send";

const TOO_MANY: &str = "More forms came from your network in the last hour than we accept. Your words are kept: \
     please send them again in an hour, or write to the address at the foot of this page";

impl FormErrors {
    /// That the network's budget is used up.
    #[must_use]
    pub fn too_many() -> Self {
        let mut errors = Self::default();
        errors.add(SEND, TOO_MANY);
        errors
    }

    /// Adds a fault.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    /// What is wrong with a field, if anything.
    #[must_use]
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|e| e.field == field).map(|e| e.message.as_str())
    }

    /// The attributes that tie a field to its hint, if it has one, and to its fault.
    #[must_use]
    pub fn ties(&self, field: &str, has_hint: bool) -> String {
        let is_wrong = self.of(field).is_some();
        let hint = has_hint.then(|| format!("{field}-hint"));
        let fault = is_wrong.then(|| format!("{field}-error"));
        let ids: Vec<String> = hint.into_iter().chain(fault).collect();
        let described = match ids.is_empty() {
            true => String::new(),
            false => format!(" aria-describedby=\"{}\"", ids.join(" ")),
        };
        format!("{described}{}", if is_wrong { " aria-invalid=\"true\"" } else { "" })
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_found_by_name_and_prefix() {
        let form = FormBody::parse(b"name=Ada+L%C3%B6w&a.plan-f1=3&a.plan-r1=&x").unwrap();
        assert_eq!(form.get("name"), "Ada L\u{f6}w");
        assert_eq!(form.with_prefix("a.").collect::<Vec<_>>(), [("plan-f1", "3"), ("plan-r1", "")]);
        assert_eq!(form.unknown_field(&["name"], &["a."]), Some("x"));
        assert!(form.has("x") && !form.has("y"));
    }

    #[test]
    fn broken_utf_8_and_nul_are_refused() {
        for body in [&b"name=%FF"[..], b"name=a%00b", b"%00=1", b"name=\xC3"] {
            assert!(matches!(FormBody::parse(body), Err(Refusal::Unreadable)), "{body:?}");
        }
    }
}
