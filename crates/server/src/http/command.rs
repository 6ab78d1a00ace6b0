//! Routes of commands.

use roadstead_api::command::{
    CommandCancel as Cancel, CommandCreate as Create, CommandList as List, CommandMachineList as Machines,
    CommandOutputList as Output, CommandShow as Show,
};

use super::routes::{Call, Routes};
use crate::ops::command as ops;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<Create>| async move { ops::create(&context, call.body).await })
        .user(|context, call: Call<List>| async move { ops::list(&context, call.query).await })
        .user(|context, call: Call<Show>| async move { ops::show(&context, call.path).await })
        .user(|context, call: Call<Machines>| async move { ops::machines(&context, call.path, call.query).await })
        .user(|context, call: Call<Output>| async move { ops::output(&context, call.path, call.query).await })
        .user(|context, call: Call<Cancel>| async move { ops::cancel(&context, call.path).await })
}
