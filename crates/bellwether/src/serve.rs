//! `bellwether serve`: from a configuration to a listening server, and an orderly end.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::Request;
use base::chance::Chance;
use base::clock::Clock;
use base::config::Config;
use base::db::Target;
use base::house::House;
use base::mail::Transport;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::listen::{Limits, listen};
use crate::live::Live;
use crate::metrics::Metrics;
use crate::notify::notify;
use crate::trouble::{Trouble, all};

/// How long requests under way may take after SIGTERM.
const DRAIN_MAX: Duration = Duration::from_secs(30);
/// Between two rounds of letting go of old records.
const RETENTION_PAUSE: Duration = Duration::from_secs(3_600);

/// Serves until told to stop.
///
/// # Errors
/// Every fault that keeps it from starting, each with its place and remedy.
pub async fn serve(config: &Config) -> Result<(), Vec<Trouble>> {
    let one = |trouble: Trouble| vec![trouble];
    let failed = |what: &dyn std::fmt::Display| vec![Trouble::new("", what, "").passing()];
    let data = config.data.display();
    make_data_dir(&config.data).map_err(|e| {
        let what = format!("{data} cannot be made ({e})");
        one(Trouble::new("data", what, "Name a folder that can be written."))
    })?;
    let _lock = lock(config).map_err(one)?;
    let listener = bind("listen", config.listen).await.map_err(one)?;
    let metrics_listener = match config.metrics_listen {
        Some(address) => Some(bind("metrics-listen", address).await.map_err(one)?),
        None => None,
    };
    let bound = listener.local_addr().map_err(|e| failed(&e))?;
    let chance = Chance::from_os().map_err(|e| failed(&e))?;
    let house = crate::open_house(config, format!("http://{bound}"), Clock::System, chance).await?;
    let metrics = metrics_listener.map(|listener| {
        let metrics = Arc::new(Metrics::default());
        let routes = crate::metrics::routes(Arc::clone(&house), Arc::clone(&metrics));
        (tokio::spawn(axum::serve(listener, routes).into_future()), metrics)
    });
    let counted = metrics.as_ref().map(|(_, metrics)| Arc::clone(metrics));
    let live = Arc::new(Live::new(&house, counted).map_err(all)?);
    let transport =
        Transport::new(config.smtp.as_ref()).map_err(|fault| one(Trouble::from(fault)))?;
    if !config.abuse_budgets {
        tracing::warn!("abuse-budgets is off: nothing limits sign-ups. For load tests only");
    }
    crate::redo_erasures(&house).await.map_err(|e| one(Trouble::from(e)))?;
    let mut signals = EndSignals::catch().map_err(|e| failed(&e))?;
    let (stop, stopped) = watch::channel(false);
    let jobs = vec![
        tokio::spawn(retain_hourly(Arc::clone(&house), stopped.clone())),
        tokio::spawn(base::mail::run_job(Arc::clone(&house), transport, stopped.clone())),
    ];
    announce(&house.public_url).map_err(|e| failed(&e))?;
    tracing::info!(address = %bound, "Serving on {bound}, records in {}", house.db.engine());
    notify("READY=1");
    let limits = Limits::new(files_max(), config.trusted_proxies.clone());
    let server = tokio::spawn(answer_all(listener, limits, live, stopped));
    signals.wait().await;
    drain(&house, &stop, server, jobs).await;
    // Until here it could be asked whether we are ready.
    if let Some((task, _)) = metrics {
        task.abort();
    }
    house.db.close().await;
    Ok(())
}

async fn bind(key: &str, address: SocketAddr) -> Result<TcpListener, Trouble> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|e| {
        let what = format!("{address} cannot be used ({e})");
        Trouble::new(key, what, "Name a free port, or stop what uses this one.").passing()
    })
}

async fn answer_all(
    listener: TcpListener,
    limits: Limits,
    live: Arc<Live>,
    stopping: watch::Receiver<bool>,
) {
    let answer = move |request: Request| {
        let live = Arc::clone(&live);
        async move { live.answer(request).await }
    };
    listen(listener, limits, answer, stopping).await;
}

/// How many files this process may have open at once: as many as the system lets it ask for.
fn files_max() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let given = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: given.maximum, ..given });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// No new requests; those under way, the mails being sent and the rest may end, within a limit.
async fn drain(
    house: &House,
    stop: &watch::Sender<bool>,
    server: JoinHandle<()>,
    jobs: Vec<JoinHandle<()>>,
) {
    tracing::info!("Stopping: no new requests; those under way have {} s", DRAIN_MAX.as_secs());
    notify("STOPPING=1");
    house.stopping.store(true, Ordering::SeqCst);
    let _ = stop.send(true);
    let ended = async {
        let _ = server.await;
        for job in jobs {
            let _ = job.await;
        }
    };
    if tokio::time::timeout(DRAIN_MAX, ended).await.is_err() {
        tracing::warn!("Some requests did not end in time");
    }
}

async fn retain_hourly(house: Arc<House>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(e) = crate::retain(&house).await {
            tracing::error!("Old records could not be let go of and will be in an hour: {e}");
        }
        tokio::select! {
            () = tokio::time::sleep(RETENTION_PAUSE) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Makes the data directory, for its owner only, if it is not there.
pub(crate) fn make_data_dir(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// One process a SQLite file, or a data directory where the records are elsewhere: a second one is refused in words.
pub(crate) fn lock(config: &Config) -> Result<std::fs::File, Trouble> {
    let (key, place) = match &config.database {
        Target::Sqlite(file) => ("database-url", file.clone()),
        Target::Postgres(_) => ("data", config.data.join("bellwether")),
    };
    let mut path = place.clone().into_os_string();
    path.push(".lock");
    let folder = place.parent().unwrap_or(&place).display();
    let key = if place.starts_with(&config.data) { "data" } else { key };
    let cannot = |e: std::io::Error| {
        let what = format!("{folder} cannot be written ({e})");
        Trouble::new(key, what, "Name a folder that can.")
    };
    let file = std::fs::File::create(path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            let what = format!("another Bellwether is using {folder}");
            Err(Trouble::new(key, what, "Stop it first, or name another folder with --data."))
        }
        Err(std::fs::TryLockError::Error(e)) => Err(cannot(e)),
    }
}

/// The one line on standard output, for people and scripts.
fn announce(url: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {url}")?;
    out.flush()
}

/// The two signals that end the program in order. Caught from here on, so that none is missed after the line that it listens.
struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl EndSignals {
    fn catch() -> std::io::Result<Self> {
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok(Self { terminate: signal(terminate)?, interrupt: signal(interrupt)? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
