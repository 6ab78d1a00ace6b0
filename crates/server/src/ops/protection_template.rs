//! What a machine that is protected is backed up with: the configuration that it gets where nobody says another.

use roadstead_api::{
    backup_configuration::NewBackupConfiguration,
    backup_options::BackupOptions,
    id::AgentId,
    protection::{NewProtection, USUAL_EXCLUSIONS, USUAL_INCLUSIONS},
    retention::Retention,
    schedule::{Schedule, TimeOfDay},
};

use super::{selection, validate};
use crate::{Error, Result};

/// Over how many minutes the nightly backups of all machines are spread.
const SPREAD_MINUTES: u32 = 180;

/// The configuration that a machine gets. Of the usual paths those that are `there`, where that is known.
pub fn configuration(
    new: &NewProtection,
    machine: &str,
    agent_id: AgentId,
    there: Option<&[String]>,
) -> NewBackupConfiguration {
    let usual = || USUAL_INCLUSIONS.iter().map(|&path| path.to_owned()).collect::<Vec<_>>();
    let inclusions = match (new.inclusions.is_empty(), there) {
        (false, _) => new.inclusions.clone(),
        (true, Some(there)) => there.to_vec(),
        (true, None) => usual(),
    };
    let exclusions = new.exclusions.clone().unwrap_or_else(|| {
        let usual = USUAL_EXCLUSIONS.iter().map(|&pattern| pattern.to_owned());
        let own = new.folder.clone();
        usual.chain(own).filter(|pattern| selection::can_leave_out(&inclusions, pattern)).collect()
    });
    let retention = Retention {
        keep_daily: Some(7),
        keep_weekly: Some(4),
        keep_monthly: Some(6),
        ..Retention::default()
    };
    let mut made = NewBackupConfiguration::new(new.name.as_deref().unwrap_or(machine), agent_id, inclusions);
    made.exclusions = exclusions;
    made.schedule = new.schedule.clone().unwrap_or_else(nightly);
    if new.schedule.is_none() {
        made.spread_minutes = SPREAD_MINUTES;
    }
    if let Some(zone) = &new.timezone {
        made.timezone.clone_from(zone);
    }
    made.retention = new.retention.clone().unwrap_or(retention);
    made.options = BackupOptions { exclude_caches: true, ..BackupOptions::default() };
    made
}

/// When machines are backed up where nobody says.
fn nightly() -> Schedule {
    TimeOfDay::new(1, 0).map_or_else(Schedule::default, Schedule::Daily)
}

/// Refuses a folder that an agent cannot have for itself.
pub fn check_folder(folder: Option<&str>) -> Result<()> {
    let Some(folder) = folder else { return Ok(()) };
    validate::path("folder", folder)?;
    if folder.trim_end_matches('/').is_empty() || folder.contains(char::is_control) {
        return Err(Error::invalid("folder: it has to be one of the agent's own, and a plain name."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use roadstead_api::{id::AgentId, protection::NewProtection};

    use super::{check_folder, configuration};

    #[test]
    fn a_machine_gets_what_it_has_and_nothing_is_left_out_in_vain() {
        let new = NewProtection { folder: Some("/var/agent".into()), ..NewProtection::default() };
        let there = ["/etc".to_owned(), "/var".to_owned()];
        let made = configuration(&new, "web", AgentId(1), Some(&there));
        assert_eq!((made.name.as_str(), &made.inclusions[..]), ("web", &there[..]));
        assert!(made.exclusions.iter().all(|pattern| pattern.starts_with("/var/")), "{:?}", made.exclusions);
        assert!(made.exclusions.contains(&"/var/agent".to_owned()));
        check_folder(new.folder.as_deref()).unwrap();
        for wrong in ["relative", "/", "/a/../b", "/a\nb"] {
            assert!(check_folder(Some(wrong)).is_err(), "{wrong:?}");
        }
    }
}
