//! The agent: the process on a machine that backs it up.
//!
//! [`enroll()`] makes the machine known to a server, once. [`run()`] keeps the link to the server and takes its jobs,
//! one at a time, each in a child process that runs [`run_job`]. So a crash in a backup cannot take the agent with
//! it, and its memory goes back to the system when it ends.
//!
//! Invariants:
//! - What an agent keeps lies in one folder; one `run` works in it at a time, and one job.
//! - A job ends when the standard input of its process closes: it never outlives the agent by more than seconds.
//! - How a job ended lies on disk before its process ends, and stays there until the server has acknowledged it.
//! - No secret is logged or put in an argument list.

mod backoff;
mod browse;
mod ca;
mod child;
mod data_dir;
mod desk;
mod dump;
mod durable;
mod enroll;
mod error;
mod error_list;
mod error_spool;
mod hook;
mod hooked;
mod host;
mod identity;
mod job;
mod key;
mod line;
mod link;
mod log;
mod measuring;
mod meter;
mod order;
mod planned_list;
mod policy;
mod proxy;
mod reach;
mod reporter;
mod results;
mod run;
mod runs;
mod sealing;
mod server_url;
mod session;
#[cfg(feature = "sim")]
pub mod sim;
mod socket;
mod token;
mod trust;
mod upkeep;
mod vault;
mod work;

pub use backoff::Reconnect;
pub use child::JobCommand;
pub use enroll::{EnrollOptions, Enrollment, enroll, enrolled};
pub use error::{Error, ErrorKind, Result};
pub use job::run_job;
pub use log::Log;
pub use run::{RunOptions, run};
