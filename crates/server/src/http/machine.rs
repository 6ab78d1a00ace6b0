//! Routes of machines.

use roadstead_api::machine::{
    MachineConsole as Console, MachineCountShow as Count, MachineCreate as Create, MachineDestroy as Destroy,
    MachineList as List, MachinePlanShow as Plan, MachineProbeNow as Probe, MachineReboot as Reboot,
    MachineRename as Rename, MachineResize as Resize, MachineShow as Show, MachineStart as Start,
    MachineStop as Stop, MachineTag as Tag,
};

use super::routes::{Call, Routes};
use crate::ops::machine as ops;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<Create>| async move { ops::create(&context, call.body).await })
        .user(|context, call: Call<Plan>| async move { ops::plan(&context, &call.body).await })
        .user(|context, call: Call<List>| async move { ops::list(&context, call.query).await })
        .user(|context, _: Call<Count>| async move { ops::count(&context).await })
        .user(|context, call: Call<Show>| async move { ops::show(&context, &call.path, call.query).await })
        .user(|context, call: Call<Start>| async move { ops::start(&context, &call.path).await })
        .user(|context, call: Call<Stop>| async move { ops::stop(&context, &call.path).await })
        .user(|context, call: Call<Reboot>| async move { ops::reboot(&context, &call.path).await })
        .user(|context, call: Call<Destroy>| async move { ops::destroy(&context, &call.path).await })
        .user(|context, call: Call<Rename>| async move { ops::rename(&context, &call.path, call.body).await })
        .user(|context, call: Call<Resize>| async move { ops::resize(&context, &call.path, call.body).await })
        .user(|context, call: Call<Tag>| async move { ops::tag(&context, &call.path, call.body).await })
        .user(|context, call: Call<Probe>| async move { ops::probe(&context, &call.path).await })
        .user(|context, call: Call<Console>| async move { ops::console(&context, &call.path).await })
}
