//! Metrics: how busy machines are, as their agents measure it.

use roadstead_api::metric::{AgentMetricsShow, MachineMetricsShow, MetricQuery, Metrics};

use crate::{Agent, Machine, error::Result};

impl Agent {
    /// How busy its machine is and was. Talks to the server.
    pub async fn metrics(&self, query: &MetricQuery) -> Result<Metrics> {
        self.client.call::<AgentMetricsShow>(&self.id, query, &()).await
    }
}

impl Machine {
    /// How busy it is and was, where it has an agent. Talks to the server.
    pub async fn metrics(&self, query: &MetricQuery) -> Result<Metrics> {
        self.client.call::<MachineMetricsShow>(&self.id, query, &()).await
    }
}
