//! Jobs in child processes, here shell scripts: how they tell, end, are stopped and die.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test ends where it fails")]

mod support;

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use roadstead_agent::{JobCommand, RunOptions};
use roadstead_api::{
    link::{AgentMessage, ServerMessage},
    run::RunState,
};
use support::{FakeLink, FakeServer, Folder, RunningAgent, outcome, run, start, until};

/// Reads the order, then runs until the agent lets go.
const PATIENT: &str = r#"read order; echo begun >> "$1/begun"; cat >/dev/null; echo over > "$1/over""#;

async fn linked(script: &str) -> (Folder, RunningAgent, FakeServer, FakeLink) {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    let agent = folder.run(script);
    let (link, _) = server.welcome(60).await;
    (folder, agent, server, link)
}

fn begun(folder: &Folder) -> usize {
    std::fs::read_to_string(folder.path().join("begun")).unwrap_or_default().lines().count()
}

#[tokio::test]
async fn a_job_gets_its_order_and_its_result_reaches_the_server() {
    let script = r#"read -r order; echo "$order" > "$1/order"; cp "$1/made" "$1/results/backup-1.json""#;
    let (folder, agent, _server, mut link) = linked(script).await;
    let made = outcome(RunState::CompletedWithErrors);
    std::fs::write(folder.path().join("made"), serde_json::to_vec(&made).unwrap()).unwrap();
    link.send(&start(run(1))).await;
    link.accepted(run(1)).await;
    assert_eq!(link.finished(run(1)).await, made);
    let order = std::fs::read_to_string(folder.path().join("order")).unwrap();
    let order: serde_json::Value = serde_json::from_str(&order).unwrap();
    assert_eq!(order["credential"], support::CREDENTIAL);
    assert_eq!(order["job"]["vault_password"], "hush");
    agent.end().await;
}

#[tokio::test]
async fn progress_goes_on_at_most_once_a_second_and_at_each_new_state() {
    let script = r#"
        read order
        n=0
        while [ $n -lt 1000 ]; do
            n=$((n + 1))
            echo "{\"report\":\"progress\",\"state\":\"searching\",\"progress\":{\"files_searched\":$n}}"
        done
        echo 'not a report'
        echo '{"report":"progress","state":"in_progress","progress":{"files_done":1}}'
        echo '{"report":"progress","state":"in_progress","progress":{"files_done":2}}'
        cat >/dev/null"#;
    let (_folder, agent, _server, mut link) = linked(script).await;
    let began = Instant::now();
    link.send(&start(run(1))).await;
    let mut messages = 0;
    let last = loop {
        let (state, progress) = link.progress(run(1)).await;
        messages += 1;
        match state {
            RunState::InProgress if progress.files_done == 2 => break began.elapsed(),
            RunState::InProgress | RunState::Searching => {}
            other => panic!("{other}"),
        }
    };
    // One of each state at once, and then one a second. However slow the machine, messages a second apart cannot be more
    // than the whole seconds from before the first to after the last, so this bounds no time.
    assert!(messages <= 3 + last.as_secs(), "{messages} messages in {last:?}");
    link.send(&ServerMessage::Stop { run: run(1) }).await;
    assert_eq!(link.finished(run(1)).await.progress.files_done, 2, "the last counters are in the outcome");
    agent.end().await;
}

#[tokio::test]
async fn a_killed_job_fails_with_the_signal() {
    let (folder, agent, _server, mut link) = linked("read order; kill -9 $$").await;
    link.send(&start(run(1))).await;
    let outcome = link.finished(run(1)).await;
    assert_eq!(outcome.state, RunState::Failed);
    assert_eq!(outcome.reason.as_deref(), Some("the job's process was killed by signal 9"));
    assert!(folder.result(run(1)).exists(), "kept until it is acknowledged");
    link.send(&ServerMessage::Acknowledged { run: run(1) }).await;
    until(|| !folder.result(run(1)).exists()).await;
    agent.end().await;
}

#[tokio::test]
async fn a_job_that_ends_without_a_result_fails_with_its_status() {
    let (_folder, agent, _server, mut link) = linked("exit 3").await;
    link.send(&start(run(1))).await;
    let reason = link.finished(run(1)).await.reason.unwrap();
    assert!(reason.contains("exit status 3"), "{reason}");
    agent.end().await;
}

#[tokio::test]
async fn a_job_that_cannot_be_started_fails_and_the_next_is_taken() {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    let missing = JobCommand { program: folder.path().join("missing"), args: Vec::new() };
    let options = RunOptions { job_command: missing, ..folder.options("") };
    let agent = tokio::spawn(roadstead_agent::run(options, std::future::pending()));
    let (mut link, _) = server.welcome(60).await;
    for id in 1..3 {
        link.send(&start(run(id))).await;
        let outcome = link.finished(run(id)).await;
        assert_eq!(outcome.state, RunState::Failed);
        assert!(outcome.reason.unwrap().contains("could not be run"));
    }
    agent.abort();
}

#[tokio::test]
async fn a_job_ends_by_itself_when_it_is_stopped() {
    let (folder, agent, _server, mut link) = linked(PATIENT).await;
    link.send(&start(run(1))).await;
    until(|| begun(&folder) == 1).await;
    link.send(&ServerMessage::Stop { run: run(1) }).await;
    let outcome = link.finished(run(1)).await;
    assert_eq!((outcome.state, outcome.reason), (RunState::Cancelled, None));
    assert!(folder.path().join("over").exists(), "it was not killed");
    agent.end().await;
}

#[tokio::test]
async fn a_stopped_job_is_told_why() {
    let script = r#"read order; read -r why; echo "$why" > "$1/why"; cat >/dev/null"#;
    let (folder, agent, _server, mut link) = linked(script).await;
    link.send(&start(run(1))).await;
    link.accepted(run(1)).await;
    link.send(&ServerMessage::Stop { run: run(1) }).await;
    link.finished(run(1)).await;
    assert_eq!(std::fs::read_to_string(folder.path().join("why")).unwrap(), "\"asked\"\n");
    agent.end().await;
}

#[tokio::test]
async fn a_job_that_does_not_stop_is_killed_with_all_it_started() {
    let script = r#"read order; sleep 600 & echo $! > "$1/sleeper"; echo begun > "$1/begun"
        read -r why; echo "$why" > "$1/why"; wait; sleep 600"#;
    let (folder, agent, _server, mut link) = linked(script).await;
    link.send(&start(run(1))).await;
    until(|| begun(&folder) == 1).await;
    link.send(&ServerMessage::Stop { run: run(1) }).await;
    assert_eq!(link.finished(run(1)).await.state, RunState::Cancelled);
    assert!(folder.path().join("why").exists(), "it was asked first");
    let sleeper = std::fs::read_to_string(folder.path().join("sleeper")).unwrap();
    until(|| !is_running(sleeper.trim())).await;
    agent.end().await;
}

/// Whether a process is there and more than a record of its end.
fn is_running(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next()).is_some_and(|state| state != "Z")
}

#[tokio::test]
async fn a_job_that_never_reads_its_order_can_be_stopped() {
    let (folder, agent, _server, mut link) = linked(r#"echo begun > "$1/begun"; exec sleep 600"#).await;
    let mut job = support::job(run(1));
    // More than a pipe takes.
    job.vault_password = Some("x".repeat(1 << 20));
    link.send(&ServerMessage::Start(Box::new(job))).await;
    until(|| begun(&folder) == 1).await;
    link.send(&ServerMessage::Stop { run: run(1) }).await;
    assert_eq!(link.finished(run(1)).await.state, RunState::Cancelled);
    agent.end().await;
}

#[tokio::test]
async fn runs_wait_for_each_other() {
    let (folder, agent, server, mut link) = linked(PATIENT).await;
    for id in [1, 2, 3, 1, 2, 3] {
        link.send(&start(run(id))).await;
        link.accepted(run(id)).await;
    }
    until(|| begun(&folder) == 1).await;
    // One that waits is cancelled at once.
    link.send(&ServerMessage::Stop { run: run(2) }).await;
    assert_eq!(link.finished(run(2)).await.state, RunState::Cancelled);
    drop(link);
    let (mut link, mut runs) = server.welcome(60).await;
    runs.sort();
    assert_eq!(runs, [run(1), run(2), run(3)], "in hand, ended, waiting");
    assert_eq!(begun(&folder), 1, "one at a time");
    link.send(&ServerMessage::Stop { run: run(1) }).await;
    assert_eq!(link.finished(run(1)).await.state, RunState::Cancelled);
    until(|| begun(&folder) == 2).await;
    link.send(&ServerMessage::Stop { run: run(3) }).await;
    assert_eq!(link.finished(run(3)).await.state, RunState::Cancelled);
    agent.end().await;
}

#[tokio::test]
async fn too_many_runs_are_refused_with_the_reason() {
    let (_folder, agent, _server, mut link) = linked(PATIENT).await;
    let mut id = 0;
    let reason = loop {
        id += 1;
        assert!(id < 100, "the agent takes whatever comes");
        link.send(&start(run(id))).await;
        match link.next().await.unwrap() {
            AgentMessage::Accepted { .. } => {}
            AgentMessage::Finished { outcome, .. } => break outcome.reason.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert!(reason.contains("wait on this agent"), "{reason}");
    agent.end().await;
}

#[tokio::test]
async fn a_shutdown_stops_the_job_and_tells_the_server() {
    let (folder, agent, _server, mut link) =
        linked("read order; echo begun > \"$1/begun\"; exec sleep 600").await;
    link.send(&start(run(1))).await;
    link.send(&start(run(2))).await;
    until(|| begun(&folder) == 1).await;
    let ended = agent.shut_down();
    for id in [2, 1] {
        let outcome = link.finished(run(id)).await;
        assert_eq!(outcome.state, RunState::Failed);
        assert_eq!(outcome.reason.as_deref(), Some("the agent was shut down"));
        link.send(&ServerMessage::Acknowledged { run: run(id) }).await;
    }
    // The children would sleep on for ten minutes.
    tokio::time::timeout(Duration::from_secs(120), ended).await.unwrap().unwrap().unwrap();
    assert_eq!(link.next().await, None);
    assert!(!folder.result(run(1)).exists());
}

#[tokio::test]
async fn a_shutdown_without_a_server_keeps_the_result() {
    let (folder, agent, server, mut link) = linked(PATIENT).await;
    link.send(&start(run(1))).await;
    until(|| begun(&folder) == 1).await;
    drop((link, server));
    agent.end().await;
    let kept = std::fs::read_to_string(folder.result(run(1))).unwrap();
    assert!(kept.contains("the agent was shut down"), "{kept}");
}

#[tokio::test]
async fn a_result_that_the_disk_does_not_take_is_kept_in_memory() {
    let (folder, agent, server, mut link) = linked("read order; rm -r \"$1/results\"; exit 3").await;
    link.send(&start(run(1))).await;
    link.finished(run(1)).await;
    drop(link);
    let (mut link, runs) = server.welcome(60).await;
    assert_eq!(runs, [run(1)]);
    assert!(!folder.result(run(1)).exists());
    assert!(link.finished(run(1)).await.reason.unwrap().contains("exit status 3"));
    link.send(&ServerMessage::Acknowledged { run: run(1) }).await;
    agent.end().await;
}

/// Not a test: the agent that [`the_agents_death_ends_its_job`] kills, in a process of its own.
#[tokio::test]
#[ignore = "run by another test"]
async fn agent_of_its_own() {
    let folder = std::path::PathBuf::from(std::env::var_os("AGENT_FOLDER").unwrap());
    let script = r#"read order; echo begun > "$1/begun"; cat >/dev/null; echo over > "$1/over""#;
    let args = ["-c", script, "job"].into_iter().map(Into::into).chain([folder.clone().into_os_string()]);
    let job_command = JobCommand { program: "/bin/sh".into(), args: args.collect() };
    let options = RunOptions {
        data_dir: folder,
        job_command,
        reconnect: Default::default(),
        log: roadstead_agent::Log::new(None, |_| ()),
    };
    roadstead_agent::run(options, std::future::pending()).await.unwrap();
}

#[tokio::test]
async fn the_agents_death_ends_its_job() {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    let mut agent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "agent_of_its_own", "--ignored"])
        .env("AGENT_FOLDER", folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (mut link, _) = server.welcome(60).await;
    link.send(&start(run(1))).await;
    until(|| begun(&folder) == 1).await;
    assert!(!folder.path().join("over").exists());
    // SIGKILL: the agent has no say in it.
    agent.kill().unwrap();
    agent.wait().unwrap();
    until(|| folder.path().join("over").exists()).await;
    // The next agent does not name the run, so the server knows that it died.
    let next = folder.run(PATIENT);
    let (_link, runs) = server.welcome(60).await;
    assert!(runs.is_empty());
    next.end().await;
}
