//! `bellwether serve`: from a configuration to a listening server, and an orderly end.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::handler::HandlerWithoutStateExt as _;
use base::chance::Chance;
use base::clock::Clock;
use base::config::Config;
use base::house::House;
use base::mail::Transport;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

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
    let listener = TcpListener::bind(config.listen).await.map_err(|e| {
        one(format!("listen: {} cannot be used ({e}). Name a free port.", config.listen))
    })?;
    let bound = listener.local_addr().map_err(|e| one(e.to_string()))?;
    let chance = Chance::from_os().map_err(|e| one(e.to_string()))?;
    let house = crate::open_house(config, format!("http://{bound}"), Clock::System, chance).await?;
    let live = Arc::new(crate::live::Live::new(&house)?);
    let transport = Transport::new(config.smtp.as_ref()).map_err(one)?;
    if !config.abuse_budgets {
        tracing::warn!("abuse-budgets is off: nothing limits sign-ups. For load tests only");
    }
    crate::redo_erasures(&house).await.map_err(|e| one(e.to_string()))?;
    let (stop, stopped) = watch::channel(false);
    let retention = tokio::spawn(retain_hourly(Arc::clone(&house), stopped.clone()));
    let mail = tokio::spawn(base::mail::run_job(Arc::clone(&house), transport, stopped.clone()));
    announce(&house.public_url).map_err(|e| one(e.to_string()))?;
    tracing::info!(address = %bound, "Serving on {bound}, records in {}", house.db.engine());

    let answer = move |request: Request| {
        let live = Arc::clone(&live);
        async move { live.answer(request).await }
    };
    let service = answer.into_service().into_make_service_with_connect_info::<SocketAddr>();
    let mut stopping = stopped;
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        let _ = stopping.changed().await;
    });
    let mut server = tokio::spawn(server.into_future());
    wait_for_signal().await.map_err(|e| one(e.to_string()))?;
    tracing::info!("Stopping: no new requests; those under way have {} s", DRAIN_MAX.as_secs());
    let _ = stop.send(true);
    if tokio::time::timeout(DRAIN_MAX, async {
        (&mut server).await.is_ok() && mail.await.is_ok() && retention.await.is_ok()
    })
    .await
    .is_err()
    {
        tracing::warn!("Some requests did not end in time");
    }
    house.db.close().await;
    Ok(())
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
fn lock(config: &Config) -> Result<std::fs::File, String> {
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

async fn wait_for_signal() -> std::io::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}
