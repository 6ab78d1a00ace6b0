//! Containers of a real engine as machines, to which no SSH server leads: commands, a terminal, an agent and a rebuild, all
//! by the engine's own exec.
//!
//! The containers share this machine's network, for that is where the server is, and its libraries, which the program
//! under test is linked to.

use roadstead_api::{
    backend::NewBackend,
    command::{CommandState, NewCommand},
    id::{BackendId, MachineId, ProviderId},
    job::{Job, JobState},
    machine::{NewContainer, NewMachine},
    protection::NewProtection,
    rebuild::NewRebuild,
    run::RunState,
    shell::ShellSize,
};
use roadstead_client::{ShellSaid, blocking::Machine};
use serde_json::json;

use crate::support::{
    Server,
    engine::{self, Engine, IMAGE},
    program,
};

/// Ends when it is told to.
const ANCHOR: &str = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done";

fn backend(engine: &Engine) -> NewBackend {
    let fields = json!({"docker_host": format!("unix://{}", engine.socket())});
    NewBackend {
        provider: ProviderId("docker".into()),
        title: "ships".into(),
        region: None,
        fields: serde_json::from_value(fields).unwrap(),
    }
}

fn container(backend: &BackendId, name: &str) -> NewMachine {
    let libraries = ["/lib", "/lib64", "/usr/lib"].map(|path| format!("{path}:{path}:ro")).to_vec();
    let command = ["sh", "-c", ANCHOR].map(str::to_owned).to_vec();
    NewMachine {
        backend_id: backend.clone(),
        name: name.into(),
        image: IMAGE.into(),
        size: "default".into(),
        location: None,
        networks: vec!["host".into()],
        key_id: None,
        cloud_init: None,
        quantity: None,
        container: Some(NewContainer { command, volumes: libraries, ..NewContainer::default() }),
    }
}

fn done(server: &Server, job: Job) -> Job {
    let job = server.client.wait_for_job(job.id, |_| ()).unwrap();
    assert_eq!(job.state, JobState::Completed, "{:?} {:?}\n{}", job.reason, job.log, server.log());
    job
}

/// What a command prints there.
fn printed(server: &Server, machine: &MachineId, script: &str) -> String {
    let new =
        NewCommand { script: script.into(), machine_ids: vec![machine.clone()], ..NewCommand::default() };
    let command = server.client.run_command(&new).unwrap();
    let mut text = String::new();
    let ended = server.client.follow_command(command.id, |output| text.push_str(&output.text)).unwrap();
    assert_eq!(ended.state, CommandState::Completed, "{script}: {text} {ended:?}");
    text
}

fn a_terminal_opens(machine: &Machine) {
    let mut shell = machine.open_shell(ShellSize { columns: 91, rows: 33 }).unwrap();
    shell.send(b"stty size; echo \"sum $((20 + 1))\"; exit 7\n").unwrap();
    let mut shown = String::new();
    let status = loop {
        match shell.said().unwrap() {
            ShellSaid::Output(bytes) => shown.push_str(&String::from_utf8_lossy(&bytes)),
            ShellSaid::Ended(status) => break status,
        }
    };
    assert!(status == 7 && shown.contains("33 91") && shown.contains("sum 21"), "{status} {shown}");
}

#[test]
fn containers_are_driven_protected_and_rebuilt_by_exec() {
    if !engine::is_there() {
        return;
    }
    let (folder, engine) = (tempfile::tempdir().unwrap(), Engine::start());
    let server = program::server_with(folder.path(), &format!("local_sockets = ['{}']\n", engine.socket()));
    let backend = server.client.add_backend(&backend(&engine)).unwrap();
    let made = done(&server, server.client.create_machine(&container(&backend.id, "web")).unwrap());
    let mut machine = server.client.get_machine(&made.machine_ids[0]).unwrap();
    assert_eq!(printed(&server, &machine.id, "echo kept >/srv/file; id -u; cat /srv/file"), "0\nkept\n");
    a_terminal_opens(&machine);

    // Where systemd is not, the agent is started in a session of its own.
    let new = NewProtection { inclusions: vec!["/srv".into()], start: true, ..NewProtection::default() };
    let plan = machine.plan_protection(&new).unwrap();
    assert!(plan.way.contains("ships"), "{plan:?}");
    let job = done(&server, machine.protect(&new).unwrap());
    let backup = server.client.get_backup(job.backup_id.unwrap()).unwrap().wait(|_| ()).unwrap();
    assert_eq!(backup.state, RunState::Completed, "{backup:?}");
    machine.reload().unwrap();
    assert!(machine.protected && machine.agent_id == job.agent_id, "{:?}", machine.info());
    let place = "ls /usr/local/bin/roadstead /var/lib/roadstead-agent/agent.json";
    assert_eq!(printed(&server, &machine.id, place).lines().count(), 2);

    // Another one is made, and has what was kept.
    let new = NewRebuild {
        machine: container(&backend.id, "web-2"),
        user: None,
        backup_id: backup.id,
        path: None,
        inclusions: Vec::new(),
        exclusions: None,
        folder: None,
        protect: false,
    };
    let job = done(&server, server.client.rebuild_machine(&new).unwrap());
    let rebuilt = server.client.machines().unwrap().into_iter().find(|found| found.name == "web-2").unwrap();
    assert!(rebuilt.agent_id == job.agent_id && job.agent_id.is_some(), "{job:?}");
    assert_eq!(printed(&server, &rebuilt.id, "cat /srv/file"), "kept\n");

    let names = engine.cli(&["ps", "--format", "{{.Names}}"]);
    assert_eq!(String::from_utf8(names.stdout).unwrap().lines().count(), 2);
    for mut machine in server.client.machines().unwrap() {
        machine.destroy().unwrap();
    }
}
