//! Schedules that nobody keeps yet: when they would run.

use jiff::Timestamp;
use roadstead_api::schedule::{PREVIEWED, SchedulePreview, ScheduleQuery, ScheduleTimes};

use super::Context;
use crate::{Error, Result, schedule};

/// Shows when a schedule would run next, as if it were made now.
pub fn preview(context: &Context, query: &ScheduleQuery) -> Result<ScheduleTimes> {
    context.authorize::<SchedulePreview>()?;
    let zone = schedule::zone(query.timezone.as_deref().unwrap_or("UTC"))?;
    let now_ms = context.clock.now_ms();
    let made = time(now_ms)?;
    let slots = schedule::Slots::new(&query.schedule, &zone, made, now_ms);
    let times = slots.take(PREVIEWED).map(time).collect::<Result<_>>()?;
    Ok(ScheduleTimes { times })
}

fn time(ms: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(ms).map_err(|e| Error::internal("A time is out of range.").caused_by(e))
}
