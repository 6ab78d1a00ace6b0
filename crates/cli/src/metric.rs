//! `roadstead machines metrics`, `roadstead agents metrics`: how busy machines are.

use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use roadstead_client::api::{
    Page,
    metric::{MetricPoint, MetricQuery, Metrics},
};

use crate::{
    error::{Exit, Result},
    human::{self, parse_duration},
    session::Session,
    table::Row,
};

/// Which part of a series, and how fine.
#[derive(Args, Debug)]
pub struct MetricArgs {
    /// How far back, such as 1h, 7d or 90d.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1h")]
    since: Duration,
    /// How far the points are apart, in seconds; the finest that reaches so far back when absent.
    #[arg(long, value_name = "SECONDS", value_parser = ["10", "60", "300", "3600"])]
    step: Option<String>,
    /// Have the agent measure every ten seconds for the next two minutes, and show those points.
    #[arg(long)]
    watch: bool,
}

impl MetricArgs {
    /// What the server is asked for.
    pub fn query(&self) -> MetricQuery {
        let back = SignedDuration::try_from(self.since).unwrap_or(SignedDuration::from_hours(1));
        MetricQuery {
            since: Timestamp::now().checked_sub(back).ok(),
            until: None,
            step_seconds: self.step.as_ref().and_then(|step| step.parse().ok()),
            watch: self.watch.then_some(true),
        }
    }
}

impl Row for MetricPoint {
    const COLUMNS: &'static [&'static str] =
        &["at", "load", "cpu", "memory", "disk", "read/s", "written/s", "received/s", "sent/s"];
    fn cells(&self) -> Vec<String> {
        let sample = &self.sample;
        let size = |bytes: f64| human::size(bytes.max(0.0) as u64);
        let share = |used: f64, total: f64| match total > 0.0 {
            true => format!("{} ({:.0}%)", size(used), used * 100.0 / total),
            false => "-".to_owned(),
        };
        vec![
            format!("{:.0}", self.at),
            format!("{:.2}", sample.load),
            format!("{:.0}%", sample.cpu_percent),
            share(sample.memory_used_bytes, sample.memory_total_bytes),
            share(sample.disk_used_bytes, sample.disk_total_bytes),
            size(sample.disk_read_bytes_per_second),
            size(sample.disk_written_bytes_per_second),
            size(sample.network_received_bytes_per_second),
            size(sample.network_sent_bytes_per_second),
        ]
    }
}

/// Prints a series: a table for people, the whole answer for programs.
pub fn print(session: &Session, metrics: Metrics) -> Result<Exit> {
    if session.output.is_for_people() {
        session.output.page(&Page { items: metrics.points, next: None })?;
    } else {
        session.output.object(&metrics)?;
    }
    Ok(Exit::Done)
}
