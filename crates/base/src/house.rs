//! What every request, job and command shares.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use askama::Template;
use ipnet::IpNet;
use tokio::sync::Notify;

use crate::assets::Assets;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::db::Db;
use crate::http::Budgets;
use crate::keys::{Keys, Use};
use crate::mail::{Letter, Templates, WriteError};
use crate::site::{Site, Source};

/// The house: storage, time, chance, keys and the site. Built once, at start, and anew when
/// the site's files have changed; a copy shares storage, chance and budgets with its original.
#[derive(Clone, Debug)]
pub struct House {
    /// Storage.
    pub db: Db,
    /// Time.
    pub clock: Clock,
    /// Chance.
    pub chance: Chance,
    /// The instance key.
    pub keys: Keys,
    /// `site.toml`.
    pub site: Site,
    /// Where the site's other files are.
    pub source: Source,
    /// Stylesheet, script, logo.
    pub assets: Assets,
    /// Where people reach the site, without a slash at the end.
    pub public_url: String,
    /// The sender of mails.
    pub mail_from: String,
    /// How each kind of mail is written.
    pub templates: Templates,
    /// Whether mails land in the built-in mailbox.
    pub mailbox: bool,
    /// Whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Budgets against abuse.
    pub budgets: Budgets,
    /// Rung when a mail was queued and committed.
    pub mail_queued: Arc<Notify>,
    /// Set once the program was told to stop: it is then no longer ready for new work.
    pub stopping: Arc<AtomicBool>,
}

impl House {
    /// The site's name as people know it: host, and port if any, of the public URL.
    #[must_use]
    pub fn host(&self) -> &str {
        self.public_url.split_once("://").map_or(&self.public_url, |(_, host)| host)
    }

    /// The letter that a filled-in file stands for, in the site's colours.
    ///
    /// # Errors
    ///
    /// The file cannot be filled in, or is not a letter.
    pub fn letter(&self, file: &impl Template) -> Result<Letter, WriteError> {
        Ok(Letter::from_file(&file.render()?, &self.site.look.accent)?)
    }

    /// The absolute URL of a private link.
    #[must_use]
    pub fn link(&self, use_: Use, row_id: &str, nonce: &str) -> String {
        let segment = match use_ {
            Use::Start => "s",
            Use::Report => "r",
            Use::Unsubscribe => "u",
            Use::Preferences => "p",
        };
        format!("{}/{segment}/{}", self.public_url, self.keys.token(use_, row_id, nonce))
    }
}
