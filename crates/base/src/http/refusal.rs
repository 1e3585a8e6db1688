//! What a visitor hears when something will not do: what happened, what to do next, a reference; never a cause.

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};

use crate::db::DbError;

/// Why a request was not served.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// There is no such page.
    NotFound,
    /// A private link that is unknown, revoked or made for something else.
    DeadLink,
    /// The page does not take this method.
    WrongMethod,
    /// The form came from another site.
    CrossSite,
    /// Not a form.
    WrongType,
    /// The form is larger than any of ours.
    TooLarge,
    /// The form is not readable text.
    Unreadable,
    /// The budget of this network or of the instance is used up.
    TooMany {
        /// Seconds until it may work again.
        retry_after_s: u32,
    },
    /// Something failed on our side; the cause is in the log.
    Broken(Incident),
}

/// A failure of ours, known to the visitor by its reference and to the log by its cause.
#[derive(Clone, Debug)]
pub struct Incident {
    /// What went wrong, for the log.
    pub cause: String,
}

impl Refusal {
    /// A failure of ours.
    pub fn broken(cause: impl std::fmt::Display) -> Self {
        Self::Broken(Incident { cause: cause.to_string() })
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::DeadLink => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::CrossSite => StatusCode::FORBIDDEN,
            Self::WrongType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unreadable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Headline, what happened, and what to do.
    #[must_use]
    pub fn words(&self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::NotFound => (
                "There is no page here",
                "The address may be old, or a letter may be missing from it.",
                "If you came by a link in a mail, copy the whole link: some mail programs cut it at the end of a line.",
            ),
            Self::DeadLink => (
                "This link does not open anything",
                "It may be cut short, or its owner may have replaced or deleted what it led to.",
                "Copy the whole link from the mail. If it still does not open, take the quiz again or write to us.",
            ),
            Self::WrongMethod => (
                "That is not how this page works",
                "The page was asked for in a way that it does not answer.",
                "Open it from a link or a button on the site.",
            ),
            Self::CrossSite => (
                "This form came from another site",
                "To protect you, we accept forms only from our own pages.",
                "Open the page here and send the form again.",
            ),
            Self::WrongType => (
                "We could not read that form",
                "It was sent in a format that our forms do not use.",
                "Open the page here and send the form again.",
            ),
            Self::TooLarge => (
                "That is more than this form holds",
                "What was sent is larger than any of our forms allows.",
                "Go back, shorten your text and send it again.",
            ),
            Self::Unreadable => (
                "We could not read that form",
                "It holds characters that are not readable text.",
                "Go back, type the text afresh rather than pasting it, and send it again.",
            ),
            Self::TooMany { .. } => (
                "Too many requests from your network",
                "More forms came from your network in the last hour than we accept. Nothing that you sent before is lost.",
                "Please try again in an hour, or write to us.",
            ),
            Self::Broken(_) => (
                "Something failed on our side",
                "What you sent may not have been saved. Whatever we had confirmed to you before is safe.",
                "Go back and send it again in a few minutes. If it keeps failing, tell us the reference below.",
            ),
        }
    }
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        let mut cause = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(deeper) = source {
            cause.push_str(": ");
            cause.push_str(&deeper.to_string());
            source = deeper.source();
        }
        Self::broken(cause)
    }
}

impl From<askama::Error> for Refusal {
    fn from(error: askama::Error) -> Self {
        Self::broken(format_args!("a page could not be rendered: {error}"))
    }
}

impl IntoResponse for Refusal {
    /// The bare answer; the guard puts the page around it.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        if let Self::TooMany { retry_after_s } = self {
            response.headers_mut().insert(RETRY_AFTER, retry_after_s.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}
