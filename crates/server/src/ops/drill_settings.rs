//! When vaults are drilled, and how much of each.

use roadstead_api::vault_task::{DrillSettings, DrillSettingsSet, DrillSettingsShow};

use super::Context;
use crate::{Error, Result, db};

/// The longest time between two drills, in days.
const MAX_DAYS: u32 = 365;
/// The largest sample, in files.
const MAX_FILES: u32 = 1000;
/// The smallest sample, in bytes, and the largest.
const BYTES: [u64; 2] = [1 << 20, 1 << 40];

/// Shows the settings.
pub async fn show(context: &Context) -> Result<DrillSettings> {
    context.authorize::<DrillSettingsShow>()?;
    db::drill_settings::get(&mut *context.db.read().await?, context.account()).await
}

/// Sets them, in place of those before.
pub async fn set(context: &Context, new: DrillSettings) -> Result<DrillSettings> {
    context.authorize::<DrillSettingsSet>()?;
    if new.every_days > MAX_DAYS {
        return Err(Error::invalid(format!(
            "every_days is {}; it goes from 1 to {MAX_DAYS}, and 0 is for never.",
            new.every_days
        )));
    }
    check_size(Some(new.files), Some(new.bytes))?;
    let mut change = context.change::<DrillSettingsSet>().await?;
    db::drill_settings::set(&mut change, context.account(), &new).await?;
    change.commit("account").await?;
    context.live.upkeep.notify_one();
    Ok(new)
}

/// Refuses samples that are none, or have no end.
pub fn check_size(files: Option<u32>, bytes: Option<u64>) -> Result<()> {
    if let Some(files) = files.filter(|files| !(1..=MAX_FILES).contains(files)) {
        return Err(Error::invalid(format!("files is {files}; it goes from 1 to {MAX_FILES}.")));
    }
    let [least, most] = BYTES;
    if let Some(bytes) = bytes.filter(|bytes| !(least..=most).contains(bytes)) {
        return Err(Error::invalid(format!(
            "bytes is {bytes}; it goes from {least} (1 MiB) to {most} (1 TiB)."
        )));
    }
    Ok(())
}
