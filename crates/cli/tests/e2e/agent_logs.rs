//! The log of an agent, asked for over its link, and how much it says.

use roadstead_api::agent_log::LogLevel;
use roadstead_client::ErrorKind;

use crate::support::{Agent, Server, roadstead, wait_until};

#[test]
fn an_agent_s_log_is_shown_and_told_to_say_more() {
    let server = Server::start();
    let mut agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    std::fs::write(source.path().join("file"), "content").unwrap();
    let configuration = agent.configure(&server, &[source.path()], &[]);
    agent.back_up_well(&server, configuration);
    let mut known = server.client.get_agent(agent.id).unwrap();
    let log = known.log(100).unwrap();
    assert_eq!(log.level, Some(LogLevel::Info));
    assert!(log.lines.iter().any(|line| line.contains("the link stands")), "{log:?}");
    assert!(log.lines.iter().any(|line| line.contains("run ended")), "{log:?}");
    assert_eq!(known.log(1).unwrap().lines.len(), 1);
    assert_eq!(known.log(2001).unwrap_err().kind(), ErrorKind::Invalid);

    // What is not said is not kept.
    let before = known.set_log_level(LogLevel::Error).unwrap();
    assert_eq!(before.level, Some(LogLevel::Error));
    let quiet = known.log(2000).unwrap().lines;
    agent.back_up_well(&server, configuration);
    assert_eq!(known.log(2000).unwrap().lines, quiet);
    let run = |arguments: &[&str]| {
        let mut command = roadstead();
        command.args(["agents"]).args(arguments).args(["--url", &server.url]);
        let output = command.env("ROADSTEAD_API_KEY", &server.api_key).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let id = agent.id.to_string();
    assert_eq!(run(&["log-level", &id, "info"]).0, Some(0));
    assert_eq!(run(&["log-level", &id, "loud"]).0, Some(2));
    let third = agent.back_up_well(&server, configuration).id;
    let (code, printed) = run(&["log", &id, "--lines", "10"]);
    assert!(code == Some(0) && printed.contains(&format!("backup-{third}")), "{printed}");

    known.wake().unwrap();
    assert!(known.connected);
    assert!(agent.end());
    wait_until("it is gone", || !server.client.get_agent(agent.id).unwrap().connected);
    assert_eq!(known.wake().unwrap_err().kind(), ErrorKind::Server);
}
