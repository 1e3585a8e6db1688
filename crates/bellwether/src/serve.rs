//! `bellwether serve`: from a configuration to a listening server, and an orderly end.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::Request;
use axum::handler::HandlerWithoutStateExt as _;
use base::chance::Chance;
use base::clock::Clock;
use base::config::Config;
use base::house::House;
use base::mail::Transport;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::live::Live;
use crate::metrics::Metrics;
use crate::notify::notify;

/// How long requests under way may take after SIGTERM.
const DRAIN_MAX: Duration = Duration::from_secs(30);
/// Between two rounds of letting go of old records.
const RETENTION_PAUSE: Duration = Duration::from_secs(3_600);

/// Serves until told to stop.
///
/// # Errors
/// Every fault that keeps it from starting, each a sentence with its remedy.
pub async fn serve(config: &Config) -> Result<(), Vec<String>> {
    let one = |fault: String| vec![fault];
    let data = config.data.display();
    std::fs::create_dir_all(&config.data).map_err(|e| {
        one(format!("data: {data} cannot be made ({e}). Name a folder that can be written."))
    })?;
    let _lock = lock(config).map_err(one)?;
    let listener = bind("listen", config.listen).await.map_err(one)?;
    let metrics_listener = match config.metrics_listen {
        Some(address) => Some(bind("metrics-listen", address).await.map_err(one)?),
        None => None,
    };
    let bound = listener.local_addr().map_err(|e| one(e.to_string()))?;
    let chance = Chance::from_os().map_err(|e| one(e.to_string()))?;
    let house = crate::open_house(config, format!("http://{bound}"), Clock::System, chance).await?;
    let metrics = metrics_listener.map(|listener| {
        let metrics = Arc::new(Metrics::default());
        let routes = crate::metrics::routes(Arc::clone(&house), Arc::clone(&metrics));
        (tokio::spawn(axum::serve(listener, routes).into_future()), metrics)
    });
    let counted = metrics.as_ref().map(|(_, metrics)| Arc::clone(metrics));
    let live = Arc::new(Live::new(&house, counted)?);
    let transport = Transport::new(config.smtp.as_ref()).map_err(one)?;
    if !config.abuse_budgets {
        tracing::warn!("abuse-budgets is off: nothing limits sign-ups. For load tests only");
    }
    crate::redo_erasures(&house).await.map_err(|e| one(e.to_string()))?;
    let mut signals = EndSignals::catch().map_err(|e| one(e.to_string()))?;
    let (stop, stopped) = watch::channel(false);
    let jobs = vec![
        tokio::spawn(retain_hourly(Arc::clone(&house), stopped.clone())),
        tokio::spawn(base::mail::run_job(Arc::clone(&house), transport, stopped.clone())),
    ];
    announce(&house.public_url).map_err(|e| one(e.to_string()))?;
    tracing::info!(address = %bound, "Serving on {bound}, records in {}", house.db.engine());
    notify("READY=1");
    let server = tokio::spawn(listen(listener, live, stopped));
    signals.wait().await;
    drain(&house, &stop, server, jobs).await;
    // Until here it could be asked whether we are ready.
    if let Some((task, _)) = metrics {
        task.abort();
    }
    house.db.close().await;
    Ok(())
}

async fn bind(key: &str, address: SocketAddr) -> Result<TcpListener, String> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|e| format!("{key}: {address} cannot be used ({e}). Name a free port."))
}

async fn listen(listener: TcpListener, live: Arc<Live>, mut stopping: watch::Receiver<bool>) {
    let answer = move |request: Request| {
        let live = Arc::clone(&live);
        async move { live.answer(request).await }
    };
    let service = answer.into_service().into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        let _ = stopping.changed().await;
    });
    if let Err(e) = server.await {
        tracing::error!("The server ended: {e}");
    }
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

/// One process a data directory: a second one is refused in words.
pub(crate) fn lock(config: &Config) -> Result<std::fs::File, String> {
    let path = config.data.join("lock");
    let cannot = |e: std::io::Error| {
        format!("data: {} cannot be written ({e}). Name a folder that can.", config.data.display())
    };
    let file = std::fs::File::create(path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(format!(
            "data: another Bellwether is using {}. Stop it first, or name another folder with --data.",
            config.data.display()
        )),
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
