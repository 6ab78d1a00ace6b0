//! Alarms: what somebody should look at.

use roadstead_api::{
    alarm::{Alarm, AlarmAcknowledge, AlarmList, AlarmQuery, AlarmShow},
    id::AlarmId,
};

use crate::{Client, error::Result};

impl Client {
    /// Lists the alarms that are open, newest first. Talks to the server.
    pub async fn alarms(&self) -> Result<Vec<Alarm>> {
        self.find_alarms(AlarmQuery { open: Some(true), ..AlarmQuery::default() }).await
    }

    /// Lists those alarms that a query picks, newest first. Talks to the server.
    pub async fn find_alarms(&self, query: AlarmQuery) -> Result<Vec<Alarm>> {
        self.list_all::<AlarmList, _>((), query).await
    }

    /// Reads one alarm. Talks to the server.
    pub async fn get_alarm(&self, id: AlarmId) -> Result<Alarm> {
        self.call::<AlarmShow>(&id, &(), &()).await
    }

    /// Says that one knows of an alarm. Talks to the server.
    pub async fn acknowledge_alarm(&self, id: AlarmId) -> Result<Alarm> {
        self.call::<AlarmAcknowledge>(&id, &(), &()).await
    }
}
