//! The nouns and endpoints of Roadstead, as types.
//!
//! What the server answers, what the SDK asks, what `openapi.json` says and what the authorization sweep tries all
//! come from the declarations in this crate, so they cannot disagree. It holds no tokio, no HTTP client and no
//! database: a program that only wants the shapes can depend on it alone.
//!
//! One file a noun. Each begins with the noun's types and ends with its `endpoints!` list.

mod endpoint;

pub mod activity;
pub mod agent;
pub mod agent_file;
pub mod agent_log;
pub mod agent_machine;
pub mod alarm;
pub mod api_key;
pub mod audit;
pub mod backend;
pub mod backup;
pub mod backup_configuration;
pub mod backup_options;
pub mod bandwidth;
pub mod check;
pub mod cleanup;
pub mod command;
pub mod dump;
pub mod event;
pub mod file;
pub mod id;
pub mod image;
pub mod job;
pub mod key;
pub mod key_machine;
pub mod link;
pub mod location;
pub mod machine;
pub mod machine_history;
pub mod mail_settings;
pub mod metric;
pub mod network;
pub mod notification_channel;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod protection;
pub mod provider;
pub mod question;
pub mod quota;
pub mod rebuild;
pub mod restore;
pub mod restore_configuration;
pub mod retention;
pub mod run;
pub mod run_error;
pub mod saved_view;
pub mod schedule;
pub mod sealing;
pub mod session;
pub mod setup;
pub mod shell;
pub mod size;
pub mod user;
pub mod vault;
pub mod vault_task;

pub use endpoint::{
    BASE_PATH, Declaration, Endpoint, IDEMPOTENCY_KEY, Method, Parameters, PathParams, Permission,
};
pub use page::{Page, PageQuery};
pub use problem::Problem;

/// Every endpoint of `/api/v1`, in the order in which the documentation shows them.
pub fn declarations() -> Vec<Declaration> {
    [
        provider::declarations(),
        backend::declarations(),
        image::declarations(),
        size::declarations(),
        location::declarations(),
        network::declarations(),
        machine::declarations(),
        machine_history::declarations(),
        command::declarations(),
        job::declarations(),
        protection::declarations(),
        rebuild::declarations(),
        agent::declarations(),
        agent_machine::declarations(),
        agent_file::declarations(),
        agent_log::declarations(),
        metric::declarations(),
        sealing::declarations(),
        backup_configuration::declarations(),
        schedule::declarations(),
        backup::declarations(),
        restore_configuration::declarations(),
        restore::declarations(),
        run_error::declarations(),
        activity::declarations(),
        vault::declarations(),
        check::declarations(),
        cleanup::declarations(),
        vault_task::declarations(),
        file::declarations(),
        quota::declarations(),
        alarm::declarations(),
        notification_channel::declarations(),
        mail_settings::declarations(),
        key::declarations(),
        key_machine::declarations(),
        user::declarations(),
        api_key::declarations(),
        session::declarations(),
        saved_view::declarations(),
        setup::declarations(),
        audit::declarations(),
    ]
    .concat()
}
