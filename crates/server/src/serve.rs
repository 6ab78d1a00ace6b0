//! Starting, serving, ending.

use std::{
    fs::{File, OpenOptions},
    future::Future,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::Request,
    http::Method,
    middleware::{self, Next},
    response::Response,
    serve::{Listener, ListenerExt},
};
use roadstead_providers::AddressGuard;
use rustix::{
    fs::FlockOperation,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};
use tower_http::catch_panic::CatchPanicLayer;

use connection::Patience;

use crate::{
    Error, ErrorKind, PublicUrl, Result, ServerOptions, TlsChoice,
    app::App,
    auth::attempts::Attempts,
    db::Db,
    drivers::Drivers,
    facade, first_start, http, jobs, link,
    live::Live,
    program::AgentProgram,
    rest,
    secrets::Key,
    tls::{Names, Tls, TlsListener},
    usage::Usage,
    vaults::Vaults,
    views::Views,
};

#[cfg(test)]
mod accounts_apart;
#[cfg(test)]
mod carried_through;
mod connection;
#[cfg(test)]
mod vault_work;

/// How long to wait for another server on the same folder to be gone.
const LOCK_WITHIN: Duration = Duration::from_secs(3);
/// How long requests in hand have to end.
const GRACE: Duration = Duration::from_secs(10);

/// Runs a server until `shutdown` is ready. `on_ready` is told where it listens, as a URL.
pub async fn run(
    options: ServerOptions,
    on_ready: impl FnOnce(&str),
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    let _lock = lock(&options.data_dir).await?;
    raise_file_limit();
    let listener = listen(options.listen).await?;
    let address = listener.local_addr()?;
    let (ending, ended) = watch::channel(false);
    let public_url = options.public_url(address)?;
    let tls = tls(&options, address, &public_url)?;
    let trust = trust(tls.as_ref(), &public_url);
    let app = Arc::new(open(&options, public_url, trust, ended).await?);
    let mut background = jobs::start(&app);
    if tls.is_none() {
        // From here on, not from when the task has its first turn.
        background.spawn(pass_over(signal(SignalKind::hangup())?));
    }
    on_ready(&format!("{}://{address}", if tls.is_some() { "https" } else { "http" }));
    let server = match tls {
        Some(tls) => {
            let listener = TlsListener::new(listener, tls.config());
            let server = serve(
                listener.tap_io(|stream| connection::prepare(stream.get_ref().0, Patience::USUAL)),
                &app,
            );
            background.spawn(tls.keep_fresh(app.clock.clone()));
            server
        }
        None => serve(listener.tap_io(|stream| connection::prepare(stream, Patience::USUAL)), &app),
    };
    shutdown.await;
    tracing::info!("the server is ending");
    ending.send_replace(true);
    if timeout(GRACE, server).await.is_err() {
        tracing::warn!("some requests did not end in time and are cut off");
    }
    background.shutdown().await;
    jobs::finish(&app).await;
    app.db.close().await;
    Ok(())
}

/// Each agent keeps a connection open, and the usual limit is 1024. Where more is refused, it stays as it is.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

fn tls(options: &ServerOptions, address: SocketAddr, public_url: &PublicUrl) -> Result<Option<Tls>> {
    match &options.tls {
        TlsChoice::Given(given) => Tls::given(given.clone()).map(Some),
        _ if options.speaks_tls() => {
            let names = Names::new(address.ip(), public_url.host());
            Tls::own(&options.data_dir.join("tls"), names, options.clock.now_ms()).map(Some)
        }
        _ => Ok(None),
    }
}

/// Without TLS there is no certificate to read again; that is no reason to end, as a process does that does not listen.
async fn pass_over(mut hangups: Signal) {
    while hangups.recv().await.is_some() {
        tracing::info!("SIGHUP came, and there is nothing to read again");
    }
}

/// A server that speaks plain HTTP, and is called by https, stands behind a proxy with a certificate of its own.
fn trust(tls: Option<&Tls>, public_url: &PublicUrl) -> String {
    match tls {
        Some(tls) => tls.trust(),
        None if public_url.is_https() => "public".to_owned(),
        None => "plain".to_owned(),
    }
}

/// Serves in a task of its own until the server is to end and the requests in hand are answered.
fn serve(listener: impl Listener<Addr = SocketAddr>, app: &Arc<App>) -> JoinHandle<()> {
    let (router, drained) = (router(app.clone()), app.clone());
    tokio::spawn(connection::serve(listener, router, Patience::USUAL, async move { drained.ending().await }))
}

/// One server at a time on one data folder. One that was just killed may hold its lock for a moment yet.
pub async fn lock(data_dir: &Path) -> Result<File> {
    let unusable = |e: std::io::Error| {
        let message = format!("The data folder {} cannot be used.", data_dir.display());
        Error::internal(message).caused_by(e)
    };
    std::fs::create_dir_all(data_dir).map_err(unusable)?;
    let file = OpenOptions::new().create(true).append(true).open(data_dir.join("server.lock"));
    let file = file.map_err(unusable)?;
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
    let in_use = |e| Error::new(ErrorKind::Unavailable, format!("Cannot listen on {address}.")).caused_by(e);
    TcpListener::bind(address).await.map_err(in_use)
}

async fn open(
    options: &ServerOptions,
    public_url: PublicUrl,
    trust: String,
    shutdown: watch::Receiver<bool>,
) -> Result<App> {
    let data_dir = std::path::absolute(&options.data_dir)?;
    let public_url = public_url.to_string();
    let master_key = Key::open_or_create(&data_dir.join("master.key"))?;
    let vaults = Vaults::open(&data_dir, options.vault_bucket.as_ref())?;
    let reached = vaults.clone();
    tokio::task::spawn_blocking(move || reached.reach()).await??;
    let db = open_database(options).await?.with_clock(options.clock.clone())?;
    first_start::prepare(&db, &master_key, &data_dir, &public_url, options.clock.now_ms()).await?;
    Ok(App {
        db,
        clock: options.clock.clone(),
        attempts: Attempts::default(),
        creates: Arc::default(),
        live: Live::default(),
        drivers: Drivers::new(AddressGuard { deny_private: options.deny_private }, options.local.clone()),
        copy_targets: options.copy_targets.clone(),
        rcbu_regions: options.rcbu_regions.clone(),
        usage: Usage::default(),
        views: Views::default(),
        vaults,
        public_url,
        trust,
        agent_program: Arc::new(AgentProgram::new(options.agent_program().to_owned())),
        worker: options.worker.clone(),
        shutdown,
        master_key,
    })
}

/// Opens the database that the options name.
pub async fn open_database(options: &ServerOptions) -> Result<Db> {
    match &options.database {
        Some(url) => Db::open_shared(url).await,
        None => Db::open_embedded(&options.embedded_database()?).await,
    }
}

fn router(app: Arc<App>) -> Router {
    let nothing_here = |request: Request| async move {
        let error = Error::not_found("There is nothing at this path.");
        http::page_or_problem(request.method(), request.uri().path(), request.headers(), &error)
    };
    let wrong_method = || async {
        let error = Error::new(ErrorKind::MethodNotAllowed, "The path is right, the method is not.");
        http::problem_response(&error, None)
    };
    http::routes()
        .merge(facade::routes())
        .merge(rest::routes())
        .merge(link::routes())
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            http::problem_response(&Error::internal("The server failed; its log says how."), None)
        }))
        .layer(middleware::from_fn(carry_through))
        .with_state(app)
}

/// Carries a change through though whoever asked for it has gone: what was done at a cloud or on a machine is also
/// written down, and told to the audit log.
async fn carry_through(request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let done = tokio::spawn(next.run(request)).await;
    done.unwrap_or_else(|error| http::problem_response(&error.into(), None))
}
