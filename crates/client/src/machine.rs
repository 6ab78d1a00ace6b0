//! Machines: what the backends hold, and what can be done with each.

use std::{fmt, time::Duration};

use roadstead_api::{
    PageQuery,
    id::MachineId,
    job::Job,
    machine::{
        self, MachineConsole, MachineCountShow, MachineCounts, MachineCreate, MachineDestroy, MachineList,
        MachinePlan, MachinePlanShow, MachineProbe, MachineProbeNow, MachineQuery, MachineReboot,
        MachineRename, MachineResize, MachineShow, MachineStart, MachineState, MachineStop, MachineTag,
        NewMachine, NewMachineName, NewMachineSize, RefreshQuery, TagChange,
    },
    machine_history::{MachineHistory, MachineHistoryList},
};

use crate::{
    Client, Handle,
    error::{Error, ErrorKind, Result},
    poll,
};

/// A machine.
pub type Machine = Handle<machine::Machine>;

/// How long a machine may take to come to rest.
const REST_WITHIN: Duration = Duration::from_secs(900);

impl Client {
    /// Lists the machines of all backends, in the order in which they were first seen. Talks to the server.
    pub async fn machines(&self) -> Result<Vec<Machine>> {
        self.find_machines(MachineQuery::default()).await
    }

    /// Counts machines, and those without a good backup among them. Talks to the server.
    pub async fn machine_counts(&self) -> Result<MachineCounts> {
        self.call::<MachineCountShow>(&(), &(), &()).await
    }

    /// Lists those machines that a query picks. Talks to the server.
    pub async fn find_machines(&self, query: MachineQuery) -> Result<Vec<Machine>> {
        Ok(Handle::all(self, self.list_all::<MachineList, _>((), query).await?))
    }

    /// Orders machines; a job makes them, which [`Client::wait_for_job`] waits for. Talks to the server.
    pub async fn create_machine(&self, new: &NewMachine) -> Result<Job> {
        self.call::<MachineCreate>(&(), &(), new).await
    }

    /// What an order of machines comes to; nothing is ordered. Talks to the server.
    pub async fn plan_machine(&self, new: &NewMachine) -> Result<MachinePlan> {
        self.call::<MachinePlanShow>(&(), &(), new).await
    }

    /// Reads one machine. Talks to the server.
    pub async fn get_machine(&self, id: &MachineId) -> Result<Machine> {
        Ok(Handle::new(self, self.call::<MachineShow>(id, &RefreshQuery::default(), &()).await?))
    }
}

impl Machine {
    /// All that the server said of it. From memory.
    pub fn info(&self) -> &machine::Machine {
        &self.facts
    }

    /// Reads it again, as its backend was last seen to have it. Talks to the server.
    pub async fn reload(&mut self) -> Result<()> {
        self.facts = self.client.call::<MachineShow>(&self.id, &RefreshQuery::default(), &()).await?;
        Ok(())
    }

    /// Has the server ask its backend, and reads it again. Talks to the server.
    pub async fn refresh(&mut self) -> Result<()> {
        let query = RefreshQuery { refresh: Some(true) };
        self.facts = self.client.call::<MachineShow>(&self.id, &query, &()).await?;
        Ok(())
    }

    /// Starts it. This and the changes below return once the backend has taken the order; [`Self::wait`] waits until
    /// it is carried out. Talks to the server.
    pub async fn start(&mut self) -> Result<()> {
        self.facts = self.client.call::<MachineStart>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Stops it in good order, where its backend knows one. Talks to the server.
    pub async fn stop(&mut self) -> Result<()> {
        self.facts = self.client.call::<MachineStop>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Restarts it in good order, where its backend knows one. Talks to the server.
    pub async fn reboot(&mut self) -> Result<()> {
        self.facts = self.client.call::<MachineReboot>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Destroys it, for ever. Talks to the server.
    pub async fn destroy(&mut self) -> Result<()> {
        self.facts = self.client.call::<MachineDestroy>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Gives it another name. Talks to the server.
    pub async fn rename(&mut self, name: &str) -> Result<()> {
        let new = NewMachineName { name: name.to_owned() };
        self.facts = self.client.call::<MachineRename>(&self.id, &(), &new).await?;
        Ok(())
    }

    /// Gives it another size, by the cloud's id. Talks to the server.
    pub async fn resize(&mut self, size: &str) -> Result<()> {
        let new = NewMachineSize { size: size.to_owned() };
        self.facts = self.client.call::<MachineResize>(&self.id, &(), &new).await?;
        Ok(())
    }

    /// Adds tags: words, or `key=value`. Talks to the server.
    pub async fn tag(&mut self, tags: &[&str]) -> Result<()> {
        self.change_tags(&TagChange { add: owned(tags), ..TagChange::default() }).await
    }

    /// Takes tags away; `key` takes `key=value`, too. Talks to the server.
    pub async fn untag(&mut self, tags: &[&str]) -> Result<()> {
        self.change_tags(&TagChange { remove: owned(tags), ..TagChange::default() }).await
    }

    /// Sets, takes away and adds tags, in this order. Talks to the server.
    pub async fn change_tags(&mut self, change: &TagChange) -> Result<()> {
        self.facts = self.client.call::<MachineTag>(&self.id, &(), change).await?;
        Ok(())
    }

    /// Asks the machine itself how it is. Talks to the server, and that to the machine.
    pub async fn probe(&self) -> Result<MachineProbe> {
        self.client.call::<MachineProbeNow>(&self.id, &(), &()).await
    }

    /// What it printed on its console. Talks to the server, and that to the backend.
    pub async fn console_output(&self) -> Result<String> {
        Ok(self.client.call::<MachineConsole>(&self.id, &(), &()).await?.text)
    }

    /// What has happened to it, newest first. Talks to the server.
    pub async fn history(&self) -> Result<Vec<MachineHistory>> {
        self.client.list_all::<MachineHistoryList, _>(self.id.clone(), PageQuery::default()).await
    }

    /// Waits until it has come to rest after an order: its backend was asked since, and it neither changes nor reboots.
    /// `None` when it is gone. Hands `progress` each answer on the way, and gives up after a quarter of an hour. Asks the
    /// server again and again.
    pub async fn wait(
        &self,
        progress: impl FnMut(&machine::Machine) + Send,
    ) -> Result<Option<machine::Machine>> {
        let changing = |state| matches!(state, MachineState::Pending | MachineState::Rebooting);
        self.wait_until(move |state| !changing(state), progress).await
    }

    /// Waits until it is in this state after an order, or broken, or gone: then it is `None`. As [`Self::wait`] does.
    ///
    /// Of a single server nobody can tell whether it is off: one that was to stop has ended once it answers no more, and
    /// is then [`MachineState::Unknown`].
    pub async fn wait_for(
        &self,
        wanted: MachineState,
        progress: impl FnMut(&machine::Machine) + Send,
    ) -> Result<Option<machine::Machine>> {
        let ended = [wanted, MachineState::Error, MachineState::Terminated];
        let silent = (wanted == MachineState::Stopped).then_some(MachineState::Unknown);
        self.wait_until(move |state| ended.contains(&state) || silent == Some(state), progress).await
    }

    async fn wait_until(
        &self,
        done: impl Fn(MachineState) -> bool + Send,
        mut progress: impl FnMut(&machine::Machine) + Send,
    ) -> Result<Option<machine::Machine>> {
        let ordered = self.refreshed_at;
        let at_rest = |found: &Option<machine::Machine>| {
            let Some(machine) = found else { return true };
            progress(machine);
            machine.refreshed_at > ordered && done(machine.state)
        };
        let waited = tokio::time::timeout(REST_WITHIN, poll::until(|| self.if_there(), at_rest)).await;
        let message =
            || format!("the machine {} has not come to rest in {} s", self.name, REST_WITHIN.as_secs());
        waited.map_err(|e| Error::new(ErrorKind::Server, message()).caused_by(e))?
    }

    async fn if_there(&self) -> Result<Option<machine::Machine>> {
        match self.client.call::<MachineShow>(&self.id, &RefreshQuery::default(), &()).await {
            Ok(machine) => Ok(Some(machine)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn owned(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|&tag| tag.to_owned()).collect()
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.id, self.name)
    }
}
