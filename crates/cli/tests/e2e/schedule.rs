//! Configurations that run by themselves.

use std::collections::BTreeMap;

use jiff::Timestamp;
use roadstead_api::{
    backup::BackupQuery,
    backup_configuration::{BackupConfiguration, BackupConfigurationChange, NewBackupConfiguration},
    run::{RunOrigin, RunState},
};
use roadstead_client::ErrorKind;

use crate::support::{Agent, Server, tree, wait_until};

#[test]
fn a_configuration_runs_when_its_time_comes() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 10_000);
    let new = NewBackupConfiguration {
        schedule: "cron:* * * * *".parse().unwrap(),
        timezone: "europe/paris".to_owned(),
        ..NewBackupConfiguration::new("minutely", agent.id, vec![source.path().to_str().unwrap().to_owned()])
    };
    let made = server.client.create_backup_configuration(new).unwrap();
    assert_eq!(made.timezone, "Europe/Paris");
    let slot = made.next_runtime().unwrap();
    assert!(slot > made.created_at && slot.as_second() % 60 == 0, "{slot}");
    let query = BackupQuery { configuration_id: Some(made.id), ..BackupQuery::default() };
    // First until its time, which may be all of a minute, then a little for the run.
    wait_until("its time comes", || Timestamp::now() >= slot);
    wait_until("its backup is there", || !server.client.find_backups(query.clone()).unwrap().is_empty());
    let backup = server.client.find_backups(query.clone()).unwrap().pop().unwrap();
    let backup = backup.wait(|_| ()).unwrap();
    assert_eq!(
        (backup.state, backup.origin, backup.slot_at),
        (RunState::Completed, RunOrigin::Schedule, Some(slot))
    );
    let known = server.client.get_backup_configuration(made.id).unwrap();
    wait_until("the next time is known", || known.next_runtime().unwrap() > slot);

    let mut known = known;
    known.disable().unwrap();
    assert_eq!(known.next_runtime(), None);
    known.enable().unwrap();
    assert!(known.next_runtime().is_some());
    known.update_from_dict(&BTreeMap::from([("schedule", "manual")])).unwrap();
    assert_eq!(known.next_runtime(), None);
}

#[test]
fn a_schedule_tells_its_next_times_before_it_is_kept() {
    let server = Server::start();
    let preview = |schedule: &str, zone: &str| {
        Ok::<_, roadstead_client::Error>(
            server.client.preview_schedule(schedule.parse().unwrap(), zone)?.times,
        )
    };
    let times = preview("daily@02:30", "Europe/Paris").unwrap();
    assert_eq!(times.len(), 5);
    assert!(times.is_sorted() && times[0] > Timestamp::now());
    for time in &times {
        let clock = time.in_tz("Europe/Paris").unwrap();
        // On the day on which clocks are put forward, half past two comes when they have been.
        assert!([(2, 30), (3, 0)].contains(&(clock.hour(), clock.minute())), "{clock}");
    }
    assert_eq!(preview("manual", "UTC").unwrap(), []);
    assert_eq!(preview("hourly:6", "Nowhere/None").unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn wrong_schedules_exclusions_and_rules_are_refused_and_nothing_is_half_done() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    let id = agent.configure(&server, &[source.path()], &["*.tmp"]);
    let mut configuration = server.client.get_backup_configuration(id).unwrap();
    let before = BackupConfiguration::clone(&configuration);
    let change = |text: &str| serde_json::from_str::<BackupConfigurationChange>(text).unwrap();
    for wrong in [
        r#"{"name": "new", "timezone": "Mars/Olympus_Mons"}"#,
        r#"{"name": "new", "schedule": "cron:0 0 31 2 *"}"#,
        r#"{"name": "new", "spread_minutes": 1441}"#,
        r#"{"name": "new", "retention": {"days": 0}}"#,
        r#"{"name": "new", "notification_email": "nobody"}"#,
        r#"{"name": "new", "exclusions": ["/elsewhere"]}"#,
        r#"{"name": "new", "inclusions": []}"#,
    ] {
        let error = configuration.update(&change(wrong)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{wrong}: {error}");
    }
    configuration.refresh().unwrap();
    assert_eq!(BackupConfiguration::clone(&configuration), before);
}
