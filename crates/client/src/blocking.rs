//! The SDK for programs that are not async: [`Client`], of the same shape as [`crate::Client`].
//!
//! A blocking object is the async one with a runtime of its own beside it, which its calls are driven on. What
//! answers from memory is reached through [`Deref`]; each `async` method has its blocking namesake here. Within an
//! async program every call fails with a clear error: use [`crate::Client`] there.

mod events;

use std::{fmt, ops::Deref, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use roadstead_api::{
    Endpoint,
    activity::{Activity, ActivityQuery},
    agent::{self, AgentDeletionPlan, EnrolmentToken, VaultFate},
    agent_log::{AgentLog, LogLevel},
    agent_machine::AgentMachine,
    alarm::{Alarm, AlarmQuery},
    api_key::{ApiKey, ApiKeyWithSecret},
    audit::{AuditCheck, AuditEntry},
    backend::{BackendChange, BackendQuery, NewBackend},
    backup::{self, BackupQuery},
    backup_configuration::{BackupConfigurationChange, BackupConfigurationQuery, NewBackupConfiguration},
    check::Check,
    cleanup::{Cleanup, CleanupPlan, Trash},
    event::EventQuery,
    file::{ArchiveForm, File, FileChange, FindQuery, FoundFile},
    id::{
        AgentId, AlarmId, ApiKeyId, BackendId, BackupConfigurationId, BackupId, CheckId, CleanupId, JobId,
        KeyId, MachineId, RestoreConfigurationId, RestoreId, SavedViewId, SealingId, SessionId, UserId,
        VaultId,
    },
    image::{Image, ImageStar},
    job::{Job, JobQuery},
    key::{KeyQuery, NewKey},
    location::Location,
    machine::{self, MachineCounts, MachinePlan, MachineProbe, MachineQuery, NewMachine, TagChange},
    machine_history::MachineHistory,
    metric::{MetricQuery, Metrics},
    network::Network,
    provider::Provider,
    quota::Quota,
    restore::{self, NewRestore, RestoreQuery},
    restore_configuration::{NewRestoreConfiguration, RestoreConfigurationChange, RestoreConfigurationQuery},
    retention::Retention,
    run::{RunError, RunState},
    saved_view::{NewSavedView, SavedView},
    schedule::{Schedule, ScheduleTimes},
    sealing::{EncryptedPassword, Sealing},
    session::Session,
    setup::{MasterKey, Setup},
    size::Size,
    user::{NewUser, PasswordChange, User, UserChange},
    vault::{VaultKey, VaultStats},
};
use serde::Serialize;
use tokio::runtime::{self, Runtime};

use crate::{
    Credentials, Handle, Status,
    error::{Error, ErrorKind, Result},
};

/// An object of the SDK, each call of which waits for its answer.
#[derive(Clone, Debug)]
pub struct Blocking<T> {
    inner: T,
    runtime: Arc<Runtime>,
}

/// A server of Roadstead.
pub type Client = Blocking<crate::Client>;
/// A backend.
pub type Backend = Blocking<crate::Backend>;
/// A machine.
pub type Machine = Blocking<crate::Machine>;
/// An agent.
pub type Agent = Blocking<crate::Agent>;
/// An SSH key.
pub type Key = Blocking<crate::Key>;
/// A backup configuration.
pub type BackupConfiguration = Blocking<crate::BackupConfiguration>;
/// A configuration taken up to be run.
pub type Backup = Blocking<crate::Backup>;
/// The status of a backup.
pub type BackupStatus = Blocking<crate::BackupStatus>;
/// The report of a backup.
pub type BackupReport = Blocking<crate::BackupReport>;
/// A restore taken up to be run.
pub type Restore = Blocking<crate::Restore>;
/// The status of a restore.
pub type RestoreStatus = Blocking<crate::RestoreStatus>;
/// The report of a restore.
pub type RestoreReport = Blocking<crate::RestoreReport>;
/// A restore configuration.
pub type RestoreConfiguration = Blocking<crate::RestoreConfiguration>;
/// A vault.
pub type Vault = Blocking<crate::Vault>;
/// The server's events.
pub type Events = Blocking<crate::Events>;
/// The content of a file of a backup.
pub type Content = Blocking<crate::Content>;

impl Client {
    /// See [`crate::Client::new`].
    pub fn new(url: &str, credentials: Credentials) -> Result<Self> {
        Self::over(crate::Client::new(url, credentials)?)
    }

    /// The blocking client of an async one; see [`crate::ClientBuilder::build_blocking`].
    pub(crate) fn over(inner: crate::Client) -> Result<Self> {
        Ok(Self { inner, runtime: own_runtime()? })
    }

    /// See [`crate::Client::connect`].
    pub fn connect(url: &str, username: &str, api_key: &str) -> Result<Self> {
        let runtime = own_runtime()?;
        let inner = runtime.block_on(crate::Client::connect(url, username, api_key))?;
        Ok(Self { inner, runtime })
    }

    /// See [`crate::Client::call`].
    pub fn call<E: Endpoint>(&self, path: &E::Path, query: &E::Query, body: &E::Body) -> Result<E::Reply> {
        refuse_async()?;
        self.runtime.block_on(self.inner.call::<E>(path, query, body))
    }
}

fn own_runtime() -> Result<Arc<Runtime>> {
    refuse_async()?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime
        .map(Arc::new)
        .map_err(|e| Error::new(ErrorKind::Local, "cannot start an async runtime").caused_by(e))
}

/// A runtime cannot be driven from within another; the library would panic.
fn refuse_async() -> Result<()> {
    match runtime::Handle::try_current() {
        Ok(_) => Err(Error::new(ErrorKind::Local, "the blocking client was called in an async program")),
        Err(_) => Ok(()),
    }
}

impl<T> Deref for Blocking<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: fmt::Display> fmt::Display for Blocking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// What a call answers, made blocking where it can ask on.
trait IntoBlocking {
    type Blocking;
    fn into_blocking(self, runtime: &Arc<Runtime>) -> Self::Blocking;
}

impl<T: IntoBlocking> IntoBlocking for Vec<T> {
    type Blocking = Vec<T::Blocking>;
    fn into_blocking(self, runtime: &Arc<Runtime>) -> Self::Blocking {
        self.into_iter().map(|item| item.into_blocking(runtime)).collect()
    }
}

impl<T: IntoBlocking> IntoBlocking for Option<T> {
    type Blocking = Option<T::Blocking>;
    fn into_blocking(self, runtime: &Arc<Runtime>) -> Self::Blocking {
        self.map(|value| value.into_blocking(runtime))
    }
}

macro_rules! asks_on {
    ($([$($parameter:ident)?] $type:ty),+) => {$(
        impl$(<$parameter>)? IntoBlocking for $type {
            type Blocking = Blocking<Self>;
            fn into_blocking(self, runtime: &Arc<Runtime>) -> Self::Blocking {
                Blocking { inner: self, runtime: runtime.clone() }
            }
        }
    )+};
}
asks_on!([T] Handle<T>, [R] Status<R>, [] crate::Backup, [] crate::Restore, [] crate::Content, [] crate::Events);

macro_rules! answers {
    ($($type:ty),+ $(,)?) => {$(
        impl IntoBlocking for $type {
            type Blocking = Self;
            fn into_blocking(self, _: &Arc<Runtime>) -> Self {
                self
            }
        }
    )+};
}
answers!((), bool, String, Bytes, RunState, RunError, backup::Backup, restore::Restore, Check, File);
answers!(Provider, User, VaultKey, Alarm, Quota, Session, ApiKey, ApiKeyWithSecret);
answers!(AuditCheck, AuditEntry, EnrolmentToken, Activity, Cleanup, CleanupPlan, Trash, Image, Location);
answers!(machine::Machine, MachineProbe, Network, Size, Job, MachinePlan, AgentDeletionPlan, Sealing);
answers!(AgentLog, EncryptedPassword, agent::Agent, FileChange, FoundFile, VaultStats, ScheduleTimes);
answers!(SavedView, Setup, MasterKey);
answers!(AgentMachine, MachineCounts, MachineHistory, Metrics, ImageStar);

/// Gives a blocking object the namesakes of the async methods listed.
macro_rules! namesakes {
    ($of:ident: $(fn $name:ident $arguments:tt -> $answer:ty;)+) => {
        impl $of {
            $(namesake! { $of, $name $arguments -> $answer })+
        }
    };
}

macro_rules! namesake {
    ($of:ident, $name:ident (&$this:ident $(, $arg:ident: $type:ty)*) -> $answer:ty) => {
        #[doc = concat!("See [`crate::", stringify!($of), "::", stringify!($name), "`].")]
        pub fn $name(&$this $(, $arg: $type)*) -> Result<$answer> {
            refuse_async()?;
            let answer = $this.runtime.block_on($this.inner.$name($($arg),*))?;
            Ok(answer.into_blocking(&$this.runtime))
        }
    };
    ($of:ident, $name:ident (&mut $this:ident $(, $arg:ident: $type:ty)*) -> $answer:ty) => {
        #[doc = concat!("See [`crate::", stringify!($of), "::", stringify!($name), "`].")]
        pub fn $name(&mut $this $(, $arg: $type)*) -> Result<$answer> {
            refuse_async()?;
            let answer = $this.runtime.block_on($this.inner.$name($($arg),*))?;
            Ok(answer.into_blocking(&$this.runtime))
        }
    };
    ($of:ident, $name:ident ($this:ident) -> $answer:ty) => {
        #[doc = concat!("See [`crate::", stringify!($of), "::", stringify!($name), "`].")]
        pub fn $name($this) -> Result<$answer> {
            refuse_async()?;
            let answer = $this.runtime.block_on($this.inner.$name())?;
            Ok(answer.into_blocking(&$this.runtime))
        }
    };
}

mod command;
mod key_machine;
mod network;
mod notification_channel;
mod protection;
mod rebuild;
mod shell;
mod vault_task;

pub use shell::Shell;

namesakes! { Client:
    fn user(&self) -> User;
    fn find_files(&self, vault: &VaultId, query: FindQuery) -> Vec<FoundFile>;
    fn diff_backups(&self, before: BackupId, after: BackupId) -> Vec<FileChange>;
    fn encrypt_password(&self, agent: AgentId, password: &str, fingerprint: Option<&str>) -> EncryptedPassword;
    fn get_sealing(&self, id: SealingId) -> Sealing;
    fn wait_for_sealing(&self, id: SealingId) -> Sealing;
    fn change_password(&self, change: &PasswordChange) -> ();
    fn users(&self) -> Vec<User>;
    fn get_user(&self, id: UserId) -> User;
    fn create_user(&self, new: &NewUser) -> User;
    fn update_user(&self, id: UserId, change: &UserChange) -> User;
    fn delete_user(&self, id: UserId) -> ();
    fn audit(&self) -> Vec<AuditEntry>;
    fn verify_audit(&self) -> AuditCheck;
    fn supported_providers(&self) -> Vec<Provider>;
    fn get_provider(&self, id: &str) -> Provider;
    fn backends(&self) -> Vec<Backend>;
    fn find_backends(&self, query: BackendQuery) -> Vec<Backend>;
    fn get_backend(&self, id: &BackendId) -> Backend;
    fn add_backend(&self, new: &NewBackend) -> Backend;
    fn machines(&self) -> Vec<Machine>;
    fn machine_counts(&self) -> MachineCounts;
    fn find_machines(&self, query: MachineQuery) -> Vec<Machine>;
    fn get_machine(&self, id: &MachineId) -> Machine;
    fn create_machine(&self, new: &NewMachine) -> Job;
    fn plan_machine(&self, new: &NewMachine) -> MachinePlan;
    fn find_jobs(&self, query: JobQuery) -> Vec<Job>;
    fn get_job(&self, id: JobId) -> Job;
    fn wait_for_job(&self, id: JobId, progress: impl FnMut(&Job) + Send) -> Job;
    fn agents(&self) -> Vec<Agent>;
    fn get_agent(&self, id: AgentId) -> Agent;
    fn create_enrolment_token(&self, ttl: Option<Duration>) -> EnrolmentToken;
    fn backup_configurations(&self) -> Vec<BackupConfiguration>;
    fn find_backup_configurations(&self, query: BackupConfigurationQuery) -> Vec<BackupConfiguration>;
    fn get_backup_configuration(&self, id: BackupConfigurationId) -> BackupConfiguration;
    fn preview_schedule(&self, schedule: Schedule, timezone: &str) -> ScheduleTimes;
    fn create_backup_configuration(&self, new: NewBackupConfiguration) -> BackupConfiguration;
    fn active_backups(&self) -> Vec<BackupStatus>;
    fn find_backups(&self, query: BackupQuery) -> Vec<BackupStatus>;
    fn get_backup(&self, id: BackupId) -> BackupStatus;
    fn get_backup_report(&self, id: BackupId) -> BackupReport;
    fn create_backup(&self, configuration_id: BackupConfigurationId) -> Backup;
    fn start_backup(&self, configuration_id: BackupConfigurationId) -> BackupStatus;
    fn active_restores(&self) -> Vec<RestoreStatus>;
    fn find_restores(&self, query: RestoreQuery) -> Vec<RestoreStatus>;
    fn get_restore(&self, id: RestoreId) -> RestoreStatus;
    fn get_restore_report(&self, id: RestoreId) -> RestoreReport;
    fn create_restore(&self, wanted: NewRestore) -> Restore;
    fn plan_restore(&self, wanted: &NewRestore) -> RestoreReport;
    fn start_restore(&self, wanted: &NewRestore) -> RestoreStatus;
    fn vaults(&self) -> Vec<Vault>;
    fn get_vault(&self, id: &VaultId) -> Vault;
    fn restore_configurations(&self) -> Vec<RestoreConfiguration>;
    fn find_restore_configurations(&self, query: RestoreConfigurationQuery) -> Vec<RestoreConfiguration>;
    fn get_restore_configuration(&self, id: RestoreConfigurationId) -> RestoreConfiguration;
    fn create_restore_configuration(&self, new: NewRestoreConfiguration) -> RestoreConfiguration;
    fn activity(&self, query: ActivityQuery) -> Vec<Activity>;
    fn start_cleanup(&self, vault: &VaultId) -> Cleanup;
    fn get_cleanup(&self, id: CleanupId) -> Cleanup;
    fn cleanups(&self, vault: &VaultId) -> Vec<Cleanup>;
    fn wait_for_cleanup(&self, id: CleanupId, progress: impl FnMut(&Cleanup) + Send) -> Cleanup;
    fn plan_retention(&self, id: BackupConfigurationId, retention: &Retention) -> CleanupPlan;
    fn plan_cleanup(&self, vault: &VaultId) -> CleanupPlan;
    fn trash(&self, vault: &VaultId) -> Trash;
    fn restore_trash(&self, vault: &VaultId) -> Trash;
    fn start_check(&self, vault: &VaultId, read_data: bool) -> Check;
    fn get_check(&self, id: CheckId) -> Check;
    fn wait_for_check(&self, id: CheckId, progress: impl FnMut(&Check) + Send) -> Check;
    fn quotas(&self) -> Vec<Quota>;
    fn set_quota(&self, vault: Option<&VaultId>, bytes: u64) -> Quota;
    fn delete_quota(&self, vault: Option<&VaultId>) -> ();
    fn alarms(&self) -> Vec<Alarm>;
    fn find_alarms(&self, query: AlarmQuery) -> Vec<Alarm>;
    fn get_alarm(&self, id: AlarmId) -> Alarm;
    fn acknowledge_alarm(&self, id: AlarmId) -> Alarm;
    fn events(&self) -> Events;
    fn find_events(&self, query: EventQuery) -> Events;
    fn files(&self, backup: BackupId, path: &str) -> Vec<File>;
    fn open_file(&self, backup: BackupId, path: &str) -> Content;
    fn open_archive(&self, backup: BackupId, path: &str, form: ArchiveForm) -> Content;
    fn keys(&self) -> Vec<Key>;
    fn find_keys(&self, query: KeyQuery) -> Vec<Key>;
    fn get_key(&self, id: &KeyId) -> Key;
    fn add_key(&self, new: &NewKey) -> Key;
    fn sessions(&self) -> Vec<Session>;
    fn end_session(&self, id: SessionId) -> ();
    fn api_keys(&self) -> Vec<ApiKey>;
    fn create_api_key(&self, name: &str) -> ApiKeyWithSecret;
    fn delete_api_key(&self, id: ApiKeyId) -> ();
    fn saved_views(&self) -> Vec<SavedView>;
    fn save_view(&self, new: &NewSavedView) -> SavedView;
    fn delete_saved_view(&self, id: SavedViewId) -> ();
    fn setup(&self) -> Setup;
    fn master_key(&self) -> MasterKey;
}

namesakes! { Backend:
    fn reload(&mut self) -> ();
    fn refresh(&mut self) -> ();
    fn rename(&mut self, title: &str) -> ();
    fn update(&mut self, change: &BackendChange) -> ();
    fn enable(&mut self) -> ();
    fn disable(&mut self) -> ();
    fn delete(self) -> ();
    fn images(&self, search: Option<&str>) -> Vec<Image>;
    fn image_stars(&self) -> Vec<ImageStar>;
    fn star_image(&self, image: &str, starred: bool) -> ImageStar;
    fn sizes(&self) -> Vec<Size>;
    fn locations(&self) -> Vec<Location>;
    fn networks(&self) -> Vec<Network>;
    fn machines(&self) -> Vec<Machine>;
}

namesakes! { Machine:
    fn reload(&mut self) -> ();
    fn refresh(&mut self) -> ();
    fn start(&mut self) -> ();
    fn stop(&mut self) -> ();
    fn reboot(&mut self) -> ();
    fn destroy(&mut self) -> ();
    fn rename(&mut self, name: &str) -> ();
    fn resize(&mut self, size: &str) -> ();
    fn tag(&mut self, tags: &[&str]) -> ();
    fn untag(&mut self, tags: &[&str]) -> ();
    fn change_tags(&mut self, change: &TagChange) -> ();
    fn probe(&self) -> MachineProbe;
    fn console_output(&self) -> String;
    fn history(&self) -> Vec<MachineHistory>;
    fn metrics(&self, query: &MetricQuery) -> Metrics;
    fn wait(&self, progress: impl FnMut(&machine::Machine) + Send) -> Option<machine::Machine>;
    fn wait_for(&self, wanted: machine::MachineState, progress: impl FnMut(&machine::Machine) + Send) -> Option<machine::Machine>;
}

namesakes! { Agent:
    fn refresh(&mut self) -> ();
    fn enable(&mut self) -> ();
    fn disable(&mut self) -> ();
    fn plan_deletion(&self) -> AgentDeletionPlan;
    fn delete(&self, vault: VaultFate) -> ();
    fn encrypt(&mut self, password: &str, fingerprint: Option<&str>) -> Sealing;
    fn change_password(&mut self, current: &str, new: &str, fingerprint: Option<&str>) -> Sealing;
    fn migrate_vault(&self, to: AgentId, password: Option<&str>) -> agent::Agent;
    fn backup_configurations(&self) -> Vec<BackupConfiguration>;
    fn restore_configurations(&self) -> Vec<RestoreConfiguration>;
    fn active_backups(&self) -> Vec<BackupStatus>;
    fn active_restores(&self) -> Vec<RestoreStatus>;
    fn machines(&self) -> Vec<AgentMachine>;
    fn files(&self, path: &str) -> Vec<File>;
    fn log(&self, lines: u32) -> AgentLog;
    fn set_log_level(&self, level: LogLevel) -> AgentLog;
    fn wake(&mut self) -> ();
    fn attach(&mut self, machine: &MachineId) -> ();
    fn detach(&mut self) -> ();
    fn metrics(&self, query: &MetricQuery) -> Metrics;
}

namesakes! { Key:
    fn private_key(&self) -> String;
    fn rename(&mut self, name: &str) -> ();
    fn set_default(&mut self) -> ();
    fn delete(self) -> ();
}

namesakes! { BackupConfiguration:
    fn refresh(&mut self) -> ();
    fn enable(&mut self) -> ();
    fn disable(&mut self) -> ();
    fn delete(self) -> ();
    fn update(&mut self, change: &BackupConfigurationChange) -> ();
    fn update_from_dict(&mut self, change: &(impl Serialize + Sync + ?Sized)) -> ();
    fn update_from_file(&mut self, path: impl AsRef<Path>) -> ();
}

namesakes! { RestoreConfiguration:
    fn refresh(&mut self) -> ();
    fn enable(&mut self) -> ();
    fn disable(&mut self) -> ();
    fn delete(self) -> ();
    fn update(&mut self, change: &RestoreConfigurationChange) -> ();
    fn update_from_dict(&mut self, change: &(impl Serialize + Sync + ?Sized)) -> ();
    fn update_from_file(&mut self, path: impl AsRef<Path>) -> ();
}

namesakes! { Backup:
    fn running(&self) -> bool;
    fn start(&mut self) -> BackupStatus;
    fn stop(&self) -> ();
    fn wait(&self, progress: impl FnMut(&backup::Backup) + Send) -> Option<backup::Backup>;
    fn report(&self) -> Option<BackupReport>;
}

namesakes! { BackupStatus:
    fn read(&self) -> backup::Backup;
    fn state(&self) -> RunState;
    fn taken(&self) -> backup::Backup;
    fn wait(&self, progress: impl FnMut(&backup::Backup) + Send) -> backup::Backup;
    fn stop(&self) -> RunState;
    fn report(&self) -> Option<BackupReport>;
}

namesakes! { RestoreReport:
    fn all_errors(&self) -> Vec<RunError>;
}

namesakes! { BackupReport:
    fn all_errors(&self) -> Vec<RunError>;
    fn get_configuration(&self) -> BackupConfiguration;
}

namesakes! { Restore:
    fn running(&self) -> bool;
    fn start(&mut self) -> RestoreStatus;
    fn stop(&self) -> ();
    fn wait(&self, progress: impl FnMut(&restore::Restore) + Send) -> Option<restore::Restore>;
    fn report(&self) -> Option<RestoreReport>;
}

namesakes! { RestoreStatus:
    fn read(&self) -> restore::Restore;
    fn state(&self) -> RunState;
    fn taken(&self) -> restore::Restore;
    fn wait(&self, progress: impl FnMut(&restore::Restore) + Send) -> restore::Restore;
    fn stop(&self) -> RunState;
    fn report(&self) -> Option<RestoreReport>;
}

namesakes! { Vault:
    fn stats(&self) -> VaultStats;
    fn delete(&self) -> ();
    fn export_key(&self) -> VaultKey;
}

namesakes! { Content:
    fn chunk(&mut self) -> Option<Bytes>;
}
