//! The composition: the only place that knows every capability.

pub mod backup;
pub mod engine;
pub mod listen;
pub mod lists;
pub mod live;
pub mod metrics;
mod notify;
pub mod serve;
pub mod table;
pub mod trouble;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::http::header::ETAG;
use axum::http::{Extensions, HeaderMap};
use base::assets::Assets;
use base::chance::Chance;
use base::clock::Clock;
use base::config::{Config, is_loopback_host};
use base::db::{Db, DbError, Target};
use base::house::House;
use base::http::Budgets;
use base::keys::Keys;
use base::mail::Templates;
use base::samples::Sample;
use base::site::{Site, Source};
use publishing::{Library, Publication};
use tokio::sync::Notify;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::{CompressionLayer, DefaultPredicate, Predicate as _};

use crate::trouble::{Trouble, all};

/// Every page and mail in every state, by capability.
#[must_use]
pub fn samples() -> Vec<Sample> {
    let mut samples = base::pages::samples();
    samples.extend(publishing::samples());
    samples.extend(assessment::samples());
    samples.extend(audience::samples());
    samples.extend(enquiry::samples());
    samples
}

/// Builds the house from a configuration; `bound_url` stands in for a public URL that was not set.
///
/// # Errors
/// Every fault, each with its place and remedy.
pub async fn open_house(
    config: &Config,
    bound_url: String,
    clock: Clock,
    chance: Chance,
) -> Result<Arc<House>, Vec<Trouble>> {
    let one = |fault: String| vec![Trouble::from(fault)];
    let source = config.site.clone().map_or(Source::Embedded, Source::Folder);
    let site = Site::load(&source).map_err(all)?;
    let assets = Assets::new(&source, &site).map_err(one)?;
    let public_url = config.public_url.clone().unwrap_or(bound_url);
    let host = public_url.split_once("://").map_or("", |(_, host)| host);
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let mailbox = config.smtp.is_none();
    if mailbox && !(config.listen.ip().is_loopback() && is_loopback_host(name)) {
        return Err(one(String::from(
            "smtp-url: is required, because people other than you can reach this site. Write smtps://user:password@host.",
        )));
    }
    let (secret_file, may_make) = &config.secret_file;
    // Records without their key: a new one would kill every link that was ever sent.
    let is_lost = matches!(&config.database, Target::Sqlite(file) if file.exists());
    let keys = Keys::load(secret_file, *may_make && !is_lost, &chance)
        .map_err(|e| one(format!("secret-file: {} cannot be used: {e}", secret_file.display())))?;
    let db = Db::open(&config.database).await.map_err(|e| vec![Trouble::from(e)])?;
    Ok(Arc::new(House {
        db,
        clock,
        chance,
        keys,
        assets,
        public_url,
        mail_from: config.mail_from.clone().unwrap_or_else(|| site.sender()),
        templates: templates(),
        mailbox,
        trusted_proxies: config.trusted_proxies.clone(),
        budgets: Budgets::new(config.abuse_budgets),
        mail_queued: Arc::new(Notify::new()),
        stopping: Arc::new(AtomicBool::new(false)),
        site,
        source,
    }))
}

/// Reads everything that serving would read of the site's files.
///
/// # Errors
/// Every fault of theirs.
pub fn check_site(config: &Config) -> Result<(), Vec<String>> {
    let source = config.site.clone().map_or(Source::Embedded, Source::Folder);
    let site = Site::load(&source)?;
    let mut faults = Vec::new();
    faults.extend(Assets::new(&source, &site).err());
    faults.extend(Publication::load(&source, &site).err().unwrap_or_default());
    faults.extend(assessment::Quizzes::load(&source, &site).err().unwrap_or_default());
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// How every kind of mail is written.
fn templates() -> Templates {
    let all = audience::templates().into_iter().chain(assessment::templates());
    Templates(all.chain(enquiry::templates()).collect())
}

/// Every route of the product, inside the guard.
///
/// # Errors
/// Every fault of the site's files.
pub fn router(house: &Arc<House>) -> Result<Router, Vec<String>> {
    let publication = Arc::new(Publication::load(&house.source, &house.site)?);
    let quizzes = assessment::Quizzes::load(&house.source, &house.site)?;
    let library = Library::new(house, &publication, house.clock.now_ms());
    let library = library.map_err(|fault| vec![fault])?;
    let routes = base::pages::routes(Arc::clone(house))
        .merge(base::samples::routes(Arc::clone(house), samples()))
        .merge(publishing::routes(Arc::new(library)))
        .merge(audience::routes(Arc::clone(house), holdings()))
        .merge(enquiry::routes(Arc::clone(house), &publication, assessment::attached))
        .merge(assessment::routes(Arc::clone(house), quizzes, publication));
    let guard = axum::middleware::from_fn_with_state(Arc::clone(house), base::http::guard);
    // What has an ETag was compressed once, when it was first asked for.
    let is_fresh = |_, _, headers: &HeaderMap, _: &Extensions| !headers.contains_key(ETAG);
    let compress = CompressionLayer::new().compress_when(DefaultPredicate::new().and(is_fresh));
    Ok(routes.layer(CatchPanicLayer::new()).layer(guard).layer(compress))
}

/// Lets go of what has been kept long enough; run at start and every hour. Harmless to run twice.
///
/// # Errors
/// If the database fails.
pub async fn retain(house: &House) -> Result<(), DbError> {
    let n_sittings = assessment::retain(house).await?;
    let n_contacts = audience::retain(house, &holdings()).await?;
    house.budgets.forget_old(house.clock.now_ms());
    let mut tx = house.db.begin().await?;
    let n_forms = base::http::forget_old_submissions(&mut tx, house.clock.now_ms()).await?;
    tx.commit().await?;
    house.db.checkpoint().await?;
    tracing::info!(
        n_contacts,
        n_sittings,
        n_forms,
        "Let go of {n_contacts} unconfirmed contacts and {n_sittings} unclaimed sittings"
    );
    Ok(())
}

/// Erases once more whoever an older backup has brought back.
///
/// # Errors
/// If the database fails.
pub async fn redo_erasures(house: &House) -> Result<(), DbError> {
    let n_erased = audience::redo_erasures(house, &holdings()).await?;
    if n_erased > 0 {
        tracing::warn!(n_erased, "Erased {n_erased} contacts that a backup had brought back");
    }
    Ok(())
}

/// What the capabilities hold about a person, for export and erasure.
fn holdings() -> Vec<audience::Holding> {
    vec![assessment::holding(), enquiry::holding()]
}
