//! What joins and what does not; and on a database of each kind, what becomes of it in lists.

use roadstead_api::{
    agent::HostFacts,
    alarm::AlarmKind,
    backup_configuration::NewBackupConfiguration,
    id::{AccountId, AgentId, BackendId, MachineId, ProviderId, VaultId},
    machine::{Machine, MachineQuery},
};
use serde_json::json;

use super::{JoinedBy, agent_connected, backend_changed, candidates, sure};
use crate::db::{
    self, Db, agent::NewAgent, agent_machine::Shared, alarm::Condition, backend::Reach, machine::MachineRow,
    testing,
};

const UUID: &str = "4c4c4544-0034-4a10-8054-b4c04f4d3432";

fn host() -> HostFacts {
    HostFacts {
        addresses: ["203.0.114.7", "10.0.0.7"].map(|text| text.parse().unwrap()).into(),
        instance_ids: vec!["i-0abc123def4567890".into(), "417".into(), UUID.into()],
        ..HostFacts::default()
    }
}

/// What the host shares: for each mark the machine that has it, too.
fn found(marks: &[(&str, &str)], taken: &[&str]) -> Option<String> {
    let shared: Vec<_> = marks
        .iter()
        .map(|&(machine, mark)| Shared {
            machine_id: MachineId(machine.into()),
            machine_name: machine.into(),
            backend_id: BackendId("b".into()),
            agent_id: taken.contains(&machine).then_some(AgentId(9)),
            mark: mark.into(),
        })
        .collect();
    let candidates = candidates(&host(), &shared);
    let machines = shared.chunk_by(|a, b| a.machine_id == b.machine_id).count();
    assert_eq!(candidates.len(), machines);
    assert!(candidates.iter().all(|candidate| !candidate.reasons.is_empty()));
    sure(&candidates).map(|machine| machine.0)
}

#[test]
fn what_only_one_machine_can_have_joins() {
    assert_eq!(found(&[("a", "i-0abc123def4567890")], &[]).as_deref(), Some("a"));
    assert_eq!(found(&[("a", "4c4c454400344a108054b4c04f4d3432")], &[]).as_deref(), Some("a"));
    assert_eq!(found(&[("a", "203.0.114.7")], &[]).as_deref(), Some("a"));
    assert_eq!(found(&[("a", "417"), ("a", "10.0.0.7")], &[]).as_deref(), Some("a"));
    assert_eq!(found(&[("a", "203.0.114.7"), ("b", "10.0.0.7")], &[]).as_deref(), Some("a"));
}

#[test]
fn what_may_be_another_is_left_to_people() {
    for (why, marks) in [
        ("nothing", vec![]),
        ("a private address", vec![("a", "10.0.0.7")]),
        ("a short number", vec![("a", "417")]),
        ("two with the address", vec![("a", "203.0.114.7"), ("b", "203.0.114.7")]),
        ("one by id, one by address", vec![("a", UUID), ("b", "203.0.114.7")]),
    ] {
        // The host's UUID is compared in the spelling of marks.
        let marks: Vec<_> = marks
            .iter()
            .map(|&(m, k)| (m, if k == UUID { "4c4c454400344a108054b4c04f4d3432" } else { k }))
            .collect();
        assert_eq!(found(&marks, &[]), None, "{why}");
    }
    assert_eq!(found(&[("a", "203.0.114.7")], &["a"]), None, "it has an agent");
}

fn machine(id: &str, public: &str) -> Machine {
    serde_json::from_value(json!({
        "id": id, "external_id": format!("external-{id}"), "backend_id": "b", "name": id, "state": "running",
        "public_ips": [public], "private_ips": [], "tags": [], "can_start": false, "can_stop": true,
        "can_reboot": true, "can_destroy": true, "can_rename": true, "can_resize": true, "can_tag": true,
        "refreshed_at": "2026-01-01T00:00:00Z",
    }))
    .unwrap()
}

fn with_agent() -> MachineQuery {
    MachineQuery { has_agent: Some(true), ..MachineQuery::default() }
}

struct Stage {
    account: AccountId,
    agent: AgentId,
    backend: BackendId,
}

impl Stage {
    /// An account with an agent, which has told of its host, and a backend without machines.
    async fn new(db: &Db) -> Self {
        let mut write = db.write().await.unwrap();
        let account = db::account::insert(&mut write, "test", 1).await.unwrap();
        let new = NewAgent {
            account_id: account,
            name: "test",
            public_key: "",
            fingerprint: "",
            credential_hash: "",
            host: &HostFacts::default(),
            now_ms: 1,
        };
        let agent = db::agent::insert(&mut write, &new).await.unwrap();
        let vault = VaultId("test".to_owned());
        db::vault::insert(&mut write, &vault, (account, agent), "", 1).await.unwrap();
        assert_eq!(db::agent::set_host(&mut write, agent, &host(), 1).await.unwrap(), account);
        let provider = ProviderId("bare_metal".to_owned());
        let (title, sealed_fields, fingerprint, pins) = ("web", "", "print", "[]");
        let reach = Reach { title, provider: &provider, region: None, sealed_fields, fingerprint, pins };
        let backend = BackendId("b".to_owned());
        db::backend::insert(&mut write, account, &backend, &reach, 1).await.unwrap();
        write.commit().await.unwrap();
        Self { account, agent, backend }
    }

    async fn list(&self, db: &Db, machine: &Machine) {
        let mut write = db.write().await.unwrap();
        let row = MachineRow::of(machine).unwrap();
        db::machine::put(&mut write, self.account, &[(machine, &row)], 1).await.unwrap();
        write.commit().await.unwrap();
    }

    async fn forget(&self, db: &Db, machine: &Machine) {
        let mut write = db.write().await.unwrap();
        db::machine::delete(&mut write, &machine.id).await.unwrap();
        write.commit().await.unwrap();
    }

    /// The machine that the agent is attached to.
    async fn machine(&self, db: &Db) -> Option<String> {
        let mut read = db.read().await.unwrap();
        let agent = db::agent::get(&mut read, self.account, self.agent).await.unwrap().unwrap();
        assert_eq!((agent.host.addresses, agent.host.instance_ids), (host().addresses, host().instance_ids));
        agent.machine_id.map(|id| id.0)
    }

    async fn attach(&self, db: &Db, machine: Option<&MachineId>) {
        let mut write = db.write().await.unwrap();
        let pair = (self.agent, machine);
        db::agent_machine::put(&mut write, self.account, pair, JoinedBy::Hand, 1).await.unwrap();
        write.commit().await.unwrap();
    }

    /// The machines that a query finds.
    async fn found(&self, db: &Db, query: MachineQuery) -> Vec<String> {
        let mut read = db.read().await.unwrap();
        let rows = db::machine::list(&mut read, self.account, &query, 0, 100).await.unwrap();
        rows.into_iter().map(|(_, machine)| machine.name).collect()
    }
}

#[tokio::test]
async fn an_agent_is_joined_when_it_or_its_machine_comes() {
    testing::each(|db| async move {
        let stage = Stage::new(&db).await;
        let (web, other) = (machine("web", "203.0.114.7"), machine("other", "203.0.114.8"));
        stage.list(&db, &other).await;
        agent_connected(&db, stage.account, stage.agent, 2).await.unwrap();
        assert_eq!(stage.machine(&db).await, None);
        stage.list(&db, &web).await;
        backend_changed(&db, stage.account, &stage.backend, 3).await.unwrap();
        assert_eq!(stage.machine(&db).await.as_deref(), Some("web"));
        let log = db::audit::chain(&mut db.read().await.unwrap(), 0, 10).await.unwrap();
        assert_eq!(log.len(), 1, "what the server does by itself is told once");

        stage.forget(&db, &web).await;
        assert_eq!(stage.machine(&db).await, None, "its backend lists it no more");
        stage.list(&db, &web).await;
        assert_eq!(stage.machine(&db).await.as_deref(), Some("web"), "and it is back");
        assert_eq!(stage.found(&db, with_agent()).await, ["web"]);

        stage.attach(&db, None).await;
        agent_connected(&db, stage.account, stage.agent, 4).await.unwrap();
        backend_changed(&db, stage.account, &stage.backend, 4).await.unwrap();
        assert_eq!(stage.machine(&db).await, None, "what was said by hand stays");
        assert_eq!(stage.found(&db, with_agent()).await, [""; 0]);
        stage.attach(&db, Some(&other.id)).await;
        agent_connected(&db, stage.account, stage.agent, 5).await.unwrap();
        assert_eq!(stage.machine(&db).await.as_deref(), Some("other"));
        assert_eq!(stage.found(&db, with_agent()).await, ["other"]);
        let mut write = db.write().await.unwrap();
        assert!(db::agent::delete(&mut write, stage.account, stage.agent, 6).await.unwrap());
        write.commit().await.unwrap();
        assert_eq!(stage.found(&db, with_agent()).await, [""; 0], "it is deleted");
    })
    .await;
}

#[tokio::test]
async fn a_machine_is_protected_by_a_good_backup_that_is_not_overdue() {
    testing::each(|db| async move {
        let stage = Stage::new(&db).await;
        let (web, bare) = (machine("web", "203.0.114.7"), machine("bare", "203.0.114.8"));
        stage.list(&db, &bare).await;
        stage.list(&db, &web).await;
        let protected = |yes| MachineQuery { protected: Some(yes), ..MachineQuery::default() };
        let has_agent = |yes| MachineQuery { has_agent: Some(yes), ..MachineQuery::default() };
        assert_eq!(stage.found(&db, protected(false)).await, ["bare", "web"]);
        agent_connected(&db, stage.account, stage.agent, 2).await.unwrap();
        assert_eq!(stage.found(&db, has_agent(true)).await, ["web"]);
        assert_eq!(stage.found(&db, has_agent(false)).await, ["bare"]);
        assert_eq!(stage.found(&db, protected(false)).await, ["bare", "web"], "an agent is no backup");

        let mut write = db.write().await.unwrap();
        db::agent::set_last_good(&mut write, stage.agent, 7000).await.unwrap();
        let new = NewBackupConfiguration::new("daily", stage.agent, vec!["/etc".to_owned()]);
        let id = db::backup_configuration::insert(&mut write, stage.account, &new, 1).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(stage.found(&db, protected(true)).await, ["web"]);
        let found = db::machine::get(&mut db.read().await.unwrap(), stage.account, &web.id).await.unwrap();
        let found = found.unwrap();
        assert!(found.protected && found.agent_id == Some(stage.agent), "{found:?}");
        assert_eq!(found.last_good_backup_at.map(|at| at.as_millisecond()), Some(7000));

        let (kind, noun_id) = (AlarmKind::BackupOverdue, id.to_string());
        let what =
            Condition { account_id: stage.account, kind, noun: "backup_configuration", noun_id: &noun_id };
        let mut write = db.write().await.unwrap();
        assert!(db::alarm::open(&mut write, what, "late", 8000).await.unwrap());
        write.commit().await.unwrap();
        assert_eq!(stage.found(&db, protected(true)).await, [""; 0]);
        assert_eq!(stage.found(&db, protected(false)).await, ["bare", "web"]);
    })
    .await;
}

/// What a page of 100 out of 50,000 machines takes from SQLite, with each filter. Run by hand, with `--release`:
/// `cargo test --release -p roadstead-server pages_of_many -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement"]
async fn pages_of_many_machines() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open_embedded(&folder.path().join("db")).await.unwrap();
    let stage = Stage::new(&db).await;
    let mut write = db.write().await.unwrap();
    for number in 0..50_000 {
        let machine = machine(&format!("m{number}"), "198.18.0.1");
        let row = MachineRow::of(&machine).unwrap();
        db::machine::put(&mut write, stage.account, &[(&machine, &row)], 1).await.unwrap();
    }
    write.commit().await.unwrap();
    stage.attach(&db, Some(&MachineId("m40000".to_owned()))).await;
    for (what, protected, has_agent) in [
        ("all", None, None),
        ("unprotected", Some(false), None),
        ("protected", Some(true), None),
        ("with an agent", None, Some(true)),
        ("without", None, Some(false)),
    ] {
        let query = MachineQuery { protected, has_agent, ..MachineQuery::default() };
        let begun = std::time::Instant::now();
        for _ in 0..20 {
            stage.found(&db, query.clone()).await;
        }
        println!("{what}: {:.2} ms a page", begun.elapsed().as_secs_f64() * 50.0);
    }
    db.close().await;
}
