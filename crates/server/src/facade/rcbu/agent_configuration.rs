//! The configuration of an agent as one document, which the service kept for its agents, and which a client library reads.
//! Undocumented: its shape is what that library takes.
//!
//! What our agents have no setting for is told as the service had it.

use roadstead_api::{
    agent::Agent,
    backup_configuration::{BackupConfiguration, BackupConfigurationQuery},
    schedule::Schedule,
};
use serde_json::{Value, json};

use super::{configuration, value::maybe_date};
use crate::{Result, ops::Context};

/// What a heartbeat's times are in milliseconds: idle, active, and while somebody watches.
fn times(idle: u32, active: u32, real_time: u32) -> Value {
    json!({ "Idle": idle, "Active": active, "RealTime": real_time })
}

/// The document of an agent.
pub async fn of(context: &Context, agent: &Agent) -> Result<Value> {
    let url = format!("{}/vaults/{}/", context.public_url, agent.vault_id);
    let query = BackupConfigurationQuery { agent_id: Some(agent.id), ..Default::default() };
    let configurations = configuration::all(context, query).await?;
    Ok(json!({
        "Volumes": [{
            "Uri": url,
            "FailoverUri": url,
            "DataServices": "",
            "EncryptionEnabled": agent.encrypted,
            // The server has none that it would tell.
            "Password": "",
            "NetworkDrives": [],
            "BackupVaultId": agent.vault_id,
        }],
        "SystemPreferences": {
            "RateLimit": null,
            "AutoUpdate": { "Enabled": false, "LatestVersion": agent.host.agent_version },
            "Environment": { "MinimumDiskSpaceMb": { "Backup": 100, "Restore": 100, "Cleanup": 100 } },
            "Logging": { "Level": "Info" },
            "Rse": {
                "Channel": format!("/agents/{}", agent.id),
                "HostName": context.public_url,
                "Polling": { "Interval": times(30_000, 2000, 300), "Timeout": times(90_000, 40_000, 40_000) },
                "Heartbeat": { "Interval": times(20_000, 20_000, 20_000), "Timeout": times(60_000, 60_000, 60_000) },
            },
        },
        "UserPreferences": { "CacheDirectory": "", "ThrottleBandwidth": false },
        "BackupConfigurations": configurations.iter().map(|known| shown(known, &url)).collect::<Vec<_>>(),
    }))
}

fn shown(known: &BackupConfiguration, url: &str) -> Value {
    let hook = |hook: &Option<roadstead_api::backup_options::Hook>| {
        hook.as_ref().map_or_else(String::new, |hook| hook.command.clone())
    };
    let items = |paths: &[String]| -> Vec<Value> {
        let item = |path: &String| json!({ "Pattern": path, "Type": "Folder", "Module": "", "Args": "" });
        paths.iter().map(item).collect()
    };
    let days = known.retention.days;
    json!({
        "Id": known.id,
        "Name": known.name,
        "IsEnabled": known.enabled,
        "VolumeUri": url,
        "VolumeFailoverUri": url,
        "DaysToKeepOldFileVersions": days.unwrap_or(0),
        "KeepOldFileVersionsIndefinitely": days.is_none(),
        "BackupPrescript": hook(&known.options.hooks.pre),
        "BackupPostscript": hook(&known.options.hooks.post),
        "Schedules": [schedule(known)],
        "Inclusions": items(&known.inclusions),
        "Exclusions": items(&known.exclusions),
    })
}

fn schedule(known: &BackupConfiguration) -> Value {
    let (frequency, time, day, hours) = match &known.schedule {
        Schedule::Hourly(hours) => ("Hourly", None, None, Some(*hours)),
        Schedule::Daily(time) => ("Daily", Some(time), None, None),
        Schedule::Weekly(day, time) => ("Weekly", Some(time), Some(day.to_sunday_zero_offset()), None),
        Schedule::Manual | Schedule::Cron(_) => ("Manually", None, None, None),
    };
    json!({
        "Start": maybe_date(Some(known.created_at)),
        "End": null,
        "InitialScheduledTime": maybe_date(known.next_runtime),
        "Frequency": frequency,
        "TimeOfDay": time.map(|time| format!("{:02}:{:02}:00", time.hour(), time.minute())),
        "DayOfWeek": day,
        "HourlyInterval": hours,
        "IsDST": false,
        "Offset": 0,
    })
}
