//! The log of the server and of the agent: lines on standard error. `RUST_LOG` says how much.

use std::io::{self, IsTerminal};

use roadstead_agent::Log;
use roadstead_client::api::agent_log::LogLevel;
use tracing_subscriber::{
    EnvFilter, filter::LevelFilter, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt,
};

/// Begins to log.
pub fn start() {
    tracing_subscriber::fmt()
        .with_env_filter(filter())
        .with_writer(io::stderr)
        .with_ansi(has_color())
        // A full disk under the log must not end who writes to it: saying so would panic.
        .log_internal_errors(false)
        .init();
}

/// Begins to log as an agent does: also for its server, which may say how much.
pub fn start_for_agent() -> Log {
    let (filter, level) = reload::Layer::new(filter());
    let set = move |wanted: LogLevel| {
        // It fails once nobody logs any more.
        let _ = level.reload(EnvFilter::new(wanted.as_str()));
    };
    let log = Log::new(std::env::var("RUST_LOG").map_or(Ok(LogLevel::Info), |said| said.parse()).ok(), set);
    let kept = log.clone();
    let for_server =
        fmt::layer().with_writer(move || kept.clone()).with_ansi(false).log_internal_errors(false);
    let for_people = fmt::layer().with_writer(io::stderr).with_ansi(has_color()).log_internal_errors(false);
    tracing_subscriber::registry().with(filter).with(for_people).with(for_server).init();
    log
}

fn filter() -> EnvFilter {
    EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy()
}

fn has_color() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
