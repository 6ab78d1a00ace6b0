//! `/api/v1`: requests decoded, operations called, replies encoded. One file a noun lists its routes.

mod activity;
mod agent;
mod agent_file;
mod agent_log;
mod agent_machine;
mod alarm;
mod api_key;
mod audit;
mod backend;
mod backup;
mod backup_configuration;
mod check;
mod cleanup;
mod command;
mod event;
mod file;
mod health;
mod image;
mod job;
mod key;
mod key_machine;
mod location;
mod machine;
mod machine_history;
mod mail_settings;
mod metric;
mod network;
mod notification_channel;
mod once;
mod page;
mod presented;
mod problem;
mod protection;
mod provider;
mod quota;
mod rebuild;
mod restore;
mod restore_configuration;
mod routes;
mod run_error;
mod saved_view;
mod schedule;
mod sealing;
mod session;
mod setup;
mod shell;
mod size;
mod user;
mod vault;
mod vault_task;

use std::sync::Arc;

use axum::Router;

pub use page::or_problem as page_or_problem;
pub use presented::{by_program, source};
pub use problem::problem_response;
use routes::Routes;

use crate::app::App;

/// Every route of the API, with the state that the handlers need still to come.
pub fn routes() -> Router<Arc<App>> {
    declared()
        .into_router()
        .merge(file::content_route())
        .merge(event::stream_route())
        .merge(protection::program_route())
        .merge(shell::route())
        .merge(health::routes())
        .merge(page::routes())
}

/// The routes of the declared endpoints.
fn declared() -> Routes {
    [
        provider::routes,
        backend::routes,
        image::routes,
        size::routes,
        location::routes,
        network::routes,
        machine::routes,
        machine_history::routes,
        command::routes,
        job::routes,
        protection::routes,
        rebuild::routes,
        agent::routes,
        agent_machine::routes,
        agent_file::routes,
        agent_log::routes,
        metric::routes,
        sealing::routes,
        backup_configuration::routes,
        schedule::routes,
        backup::routes,
        restore_configuration::routes,
        restore::routes,
        run_error::routes,
        activity::routes,
        vault::routes,
        check::routes,
        cleanup::routes,
        vault_task::routes,
        file::routes,
        quota::routes,
        alarm::routes,
        notification_channel::routes,
        mail_settings::routes,
        key::routes,
        key_machine::routes,
        user::routes,
        api_key::routes,
        session::routes,
        saved_view::routes,
        setup::routes,
        audit::routes,
    ]
    .into_iter()
    .fold(Routes::default(), |routes, add: fn(Routes) -> Routes| add(routes))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn every_declared_endpoint_has_a_route() {
        let declared: BTreeSet<_> = roadstead_api::declarations().iter().map(|d| d.name).collect();
        assert_eq!(super::declared().names().collect::<BTreeSet<_>>(), declared);
    }
}
