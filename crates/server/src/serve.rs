//! Starting, serving, ending.

use std::{
    fs::{File, OpenOptions},
    future::Future,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use rustix::fs::FlockOperation;
use tokio::{
    net::TcpListener,
    sync::watch,
    time::{Instant, timeout},
};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    Error, ErrorKind, Result, ServerOptions, app::App, auth::attempts::Attempts, db::Db, first_start, http,
    jobs, link, live::Live, rest, secrets::Key, vaults::Vaults,
};

/// How long to wait for another server on the same folder to be gone.
const LOCK_WITHIN: Duration = Duration::from_secs(3);
/// How long requests in hand have to end.
const GRACE: Duration = Duration::from_secs(10);

/// Runs a server until `shutdown` is ready. `on_ready` is told the address that it listens on.
pub async fn run(
    options: ServerOptions,
    on_ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    let _lock = lock(&options.data_dir).await?;
    let listener = listen(options.listen).await?;
    let address = listener.local_addr()?;
    let (ending, ended) = watch::channel(false);
    let app = Arc::new(open(&options, address, ended).await?);
    let mut background = jobs::start(&app);
    on_ready(address);
    let drained = app.clone();
    let server = axum::serve(listener, router(app.clone())).with_graceful_shutdown(async move {
        drained.ending().await;
    });
    let server = tokio::spawn(server.into_future());
    shutdown.await;
    tracing::info!("the server is ending");
    ending.send_replace(true);
    if timeout(GRACE, server).await.is_err() {
        tracing::warn!("some requests did not end in time and are cut off");
    }
    background.shutdown().await;
    app.db.close().await;
    Ok(())
}

/// One server at a time on one data folder. One that was just killed may hold its lock for a moment yet.
async fn lock(data_dir: &Path) -> Result<File> {
    std::fs::create_dir_all(data_dir)?;
    let file = OpenOptions::new().create(true).append(true).open(data_dir.join("server.lock"))?;
    let give_up = Instant::now() + LOCK_WITHIN;
    while let Err(error) = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        if Instant::now() > give_up {
            let message = format!("Another server is running on {}.", data_dir.display());
            return Err(Error::conflict(message).caused_by(std::io::Error::from(error)));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(file)
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    if !address.ip().is_loopback() {
        return Err(Error::invalid(format!(
            "{address} is reachable from other machines, which takes TLS; this version serves loopback only."
        )));
    }
    let in_use = |e| Error::new(ErrorKind::Unavailable, format!("Cannot listen on {address}.")).caused_by(e);
    TcpListener::bind(address).await.map_err(in_use)
}

async fn open(options: &ServerOptions, address: SocketAddr, shutdown: watch::Receiver<bool>) -> Result<App> {
    let data_dir = std::path::absolute(&options.data_dir)?;
    let url = options.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let public_url = url.trim_end_matches('/').to_owned();
    let master_key = Key::open_or_create(&data_dir.join("master.key"))?;
    let db = match &options.database {
        Some(url) => Db::open_shared(url).await?,
        None => Db::open_embedded(&data_dir.join("roadstead.db")).await?,
    };
    first_start::prepare(&db, &master_key, &data_dir, &public_url, options.clock.now_ms()).await?;
    Ok(App {
        db,
        clock: options.clock.clone(),
        attempts: Attempts::default(),
        live: Live::default(),
        vaults: Vaults::open(data_dir.join("vaults"))?,
        public_url,
        worker: options.worker.clone(),
        shutdown,
        master_key,
    })
}

fn router(app: Arc<App>) -> Router {
    let nothing_here =
        || async { http::problem_response(&Error::not_found("There is nothing at this path."), None) };
    let wrong_method = || async {
        let error = Error::new(ErrorKind::MethodNotAllowed, "The path is right, the method is not.");
        http::problem_response(&error, None)
    };
    http::routes()
        .merge(rest::routes())
        .merge(link::routes())
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            http::problem_response(&Error::internal("The server failed; its log says how."), None)
        }))
        .with_state(app)
}
