//! What kinds of object have in common, as traits: for programs that deal with backups and restores alike.
//!
//! The methods are those of the objects themselves, under the same names.

use std::{future::Future, time::Duration};

use jiff::Timestamp;
use roadstead_api::{
    run::{RunError, RunState},
    schedule::Schedule,
};

use crate::{
    BackupConfiguration, BackupReport, RestoreConfiguration, RestoreReport,
    error::Result,
    run::{self, Run},
};

/// What runs are made of: a backup configuration or a restore configuration.
pub trait Configuration {
    /// Its name. From memory.
    fn name(&self) -> &str;
    /// When it runs by itself. From memory.
    fn schedule(&self) -> Schedule;
    /// When it runs next by itself, if ever. From memory.
    fn next_runtime(&self) -> Option<Timestamp>;
    /// Whether it may be started. From memory.
    fn is_enabled(&self) -> bool;
    /// Whether somebody is told when a run ends badly. From memory.
    fn notifies_on_failure(&self) -> bool;
    /// Whether somebody is told when a run ends well. From memory.
    fn notifies_on_success(&self) -> bool;
    /// Who is told. From memory.
    fn notification_email(&self) -> Option<&str>;
    /// Lets it be started again. Talks to the server.
    fn enable(&mut self) -> impl Future<Output = Result<()>> + Send;
    /// Keeps it from being started. Talks to the server.
    fn disable(&mut self) -> impl Future<Output = Result<()>> + Send;
    /// Deletes it. Talks to the server.
    fn delete(self) -> impl Future<Output = Result<()>> + Send;
}

/// What there is to say of a run that ended by itself.
pub trait Report {
    /// Whether all went well. From memory.
    fn ok(&self) -> bool;
    /// What went wrong, in one sentence. From memory.
    fn error(&self) -> Option<&str>;
    /// How it ended. From memory.
    fn state(&self) -> RunState;
    /// How long it took. From memory.
    fn duration(&self) -> Duration;
    /// Single files that could not be read or written; the first of them. From memory.
    fn errors(&self) -> &[RunError];
}

/// Where a run stands. Live: each answer is asked for.
pub trait Status {
    /// The run's state as it is now. Talks to the server.
    fn state(&self) -> impl Future<Output = Result<RunState>> + Send;
    /// Whether it goes on. Talks to the server.
    fn running(&self) -> impl Future<Output = Result<bool>> + Send
    where
        Self: Sync,
    {
        async { Ok(!self.state().await?.has_ended()) }
    }
}

impl<R: Run> Status for run::Status<R> {
    async fn state(&self) -> Result<RunState> {
        Self::state(self).await
    }
}

macro_rules! configuration {
    ($type:ty, $schedule:expr) => {
        impl Configuration for $type {
            fn name(&self) -> &str {
                &self.facts.name
            }
            fn schedule(&self) -> Schedule {
                $schedule(self)
            }
            fn next_runtime(&self) -> Option<Timestamp> {
                Self::next_runtime(self)
            }
            fn is_enabled(&self) -> bool {
                Self::is_enabled(self)
            }
            fn notifies_on_failure(&self) -> bool {
                Self::notifies_on_failure(self)
            }
            fn notifies_on_success(&self) -> bool {
                Self::notifies_on_success(self)
            }
            fn notification_email(&self) -> Option<&str> {
                Self::notification_email(self)
            }
            async fn enable(&mut self) -> Result<()> {
                Self::enable(self).await
            }
            async fn disable(&mut self) -> Result<()> {
                Self::disable(self).await
            }
            async fn delete(self) -> Result<()> {
                Self::delete(self).await
            }
        }
    };
}
configuration!(BackupConfiguration, |configuration: &BackupConfiguration| configuration
    .facts
    .schedule
    .clone());
configuration!(RestoreConfiguration, RestoreConfiguration::schedule);

macro_rules! report {
    ($type:ty) => {
        impl Report for $type {
            fn ok(&self) -> bool {
                self.facts.ok
            }
            fn error(&self) -> Option<&str> {
                self.facts.error.as_deref()
            }
            fn state(&self) -> RunState {
                self.facts.state
            }
            fn duration(&self) -> Duration {
                Self::duration(self)
            }
            fn errors(&self) -> &[RunError] {
                &self.facts.errors
            }
        }
    };
}
report!(BackupReport);
report!(RestoreReport);
