//! The site as it is now: everything made from its files is made anew when one of them changes, or when a day ends.
//!
//! Looked at when a request comes, at most once a second, on a thread that may block. The request that finds a change
//! waits for it, so that whoever edits the site sees the edit at the first reload. A site with a fault is not served: the
//! last good one stays, and the log says what to mend. Mails are written from the site as it was at start.

use std::convert::Infallible;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use base::assets::Assets;
use base::clock::{DAY_MS, SECOND_MS};
use base::house::House;
use base::site::Site;
use tokio::sync::Mutex;
use tower::ServiceExt as _;

use crate::metrics::{Metrics, counted};

/// Between two looks at the files.
const LOOK_PAUSE_MS: i64 = SECOND_MS;

/// The routes of the product, as the site's files have them now.
#[derive(Debug)]
pub struct Live {
    house: Arc<House>,
    metrics: Option<Arc<Metrics>>,
    router: RwLock<Router>,
    looked_ms: AtomicI64,
    tried: Mutex<State>,
}

/// What the routes are made from: if it has changed, they have to be made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    files: u64,
    day: i64,
}

impl State {
    fn now(house: &House) -> Self {
        Self { files: house.source.stamp(), day: house.clock.now_ms().div_euclid(DAY_MS) }
    }
}

impl Live {
    /// Makes the routes for the first time; `metrics` counts what goes through them.
    ///
    /// # Errors
    /// Every fault of the site's files.
    pub fn new(house: &Arc<House>, metrics: Option<Arc<Metrics>>) -> Result<Self, Vec<String>> {
        let tried = State::now(house);
        let router = with_metrics(crate::router(house)?, metrics.as_ref());
        let looked_ms = AtomicI64::new(house.clock.now_ms());
        let (router, tried) = (RwLock::new(router), Mutex::new(tried));
        Ok(Self { house: Arc::clone(house), metrics, router, looked_ms, tried })
    }

    /// Answers a request from the site as it is now.
    pub async fn answer(&self, request: Request) -> Response {
        self.look().await;
        let router = self.router.read().unwrap_or_else(PoisonError::into_inner).clone();
        router.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {})
    }

    /// Makes the routes anew if there is reason to.
    async fn look(&self) {
        let now_ms = self.house.clock.now_ms();
        if now_ms - self.looked_ms.load(Ordering::Relaxed) < LOOK_PAUSE_MS {
            return;
        }
        // Whoever comes meanwhile is answered from what there is.
        let Ok(mut tried) = self.tried.try_lock() else { return };
        self.looked_ms.store(now_ms, Ordering::Relaxed);
        let (house, before) = (Arc::clone(&self.house), *tried);
        let Ok((now, made)) = tokio::task::spawn_blocking(move || remade(&house, before)).await
        else {
            return;
        };
        *tried = now;
        match made {
            Some(Ok(router)) => {
                let router = with_metrics(router, self.metrics.as_ref());
                *self.router.write().unwrap_or_else(PoisonError::into_inner) = router;
                tracing::info!("The site was read anew");
            }
            Some(Err(faults)) => {
                let faults = faults.join("; ");
                tracing::error!(
                    "The site was not read anew; the last good one is served: {faults}"
                );
            }
            None => {}
        }
    }
}

/// The counters outlive the routes that they count.
fn with_metrics(router: Router, metrics: Option<&Arc<Metrics>>) -> Router {
    match metrics {
        Some(metrics) => counted(router, Arc::clone(metrics)),
        None => router,
    }
}

/// The state now, and the routes made from it if it is another one than before.
fn remade(house: &House, before: State) -> (State, Option<Result<Router, Vec<String>>>) {
    let now = State::now(house);
    (now, (now != before).then(|| read_anew(house)))
}

fn read_anew(house: &House) -> Result<Router, Vec<String>> {
    let site = Site::load(&house.source)?;
    let assets = Assets::new(&house.source, &site).map_err(|fault| vec![fault])?;
    crate::router(&Arc::new(House { site, assets, ..house.clone() }))
}
