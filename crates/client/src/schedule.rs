//! Schedules: when one would run, before it is kept.

use roadstead_api::schedule::{Schedule, SchedulePreview, ScheduleQuery, ScheduleTimes};

use crate::{Client, error::Result};

impl Client {
    /// When a schedule would run next by the clocks of an IANA time zone: five times, none for a manual one. Talks to
    /// the server.
    pub async fn preview_schedule(&self, schedule: Schedule, timezone: &str) -> Result<ScheduleTimes> {
        let query = ScheduleQuery { schedule, timezone: Some(timezone.to_owned()) };
        self.call::<SchedulePreview>(&(), &query, &()).await
    }
}
