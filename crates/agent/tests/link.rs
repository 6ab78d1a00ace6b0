//! The link to the server: how it begins, lives, breaks and comes back.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test ends where it fails")]

mod support;

use std::time::{Duration, Instant};

use roadstead_agent::ErrorKind;
use roadstead_api::{
    link::{AgentMessage, MAX_MESSAGE_BYTES, PATH, ServerMessage},
    run::RunState,
};
use support::{FakeServer, Folder, outcome, run, start, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn the_hello_names_the_machine_and_carries_the_credential() {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    let agent = folder.run("true");
    let mut link = server.accept().await;
    assert_eq!(link.path, PATH);
    assert_eq!(link.authorization, format!("Bearer {}", support::CREDENTIAL));
    let (host, runs) = link.hello().await;
    assert_eq!(host.agent_version, env!("CARGO_PKG_VERSION"));
    assert!(!host.hostname.is_empty());
    assert!(runs.is_empty());
    agent.end().await;
}

#[tokio::test]
async fn an_idle_agent_sends_heartbeats_and_pings() {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    let agent = folder.run("true");
    let began = Instant::now();
    let (mut link, _) = server.welcome(1).await;
    let (mut heartbeats, mut pings) = (0, 0);
    while heartbeats < 2 || pings < 2 {
        match link.next_raw().await {
            Message::Text(text) => {
                assert_eq!(serde_json::from_str::<AgentMessage>(&text).unwrap(), AgentMessage::Heartbeat);
                heartbeats += 1;
            }
            Message::Ping(_) => pings += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(began.elapsed() >= Duration::from_secs(2), "no more than one a second");
    agent.end().await;
    assert!(matches!(link.next_raw().await, Message::Close(_)), "it parts in order");
}

#[tokio::test]
async fn a_link_that_drops_comes_back() {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    let agent = folder.run("true");
    for _ in 0..5 {
        drop(server.welcome(60).await);
    }
    // Connections that end before, and in, the handshake.
    drop(server.accept_raw().await);
    server.accept_raw().await.write_all(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    server.accept_raw().await.write_all(b"\0\x01garbage\r\n\r\n").await.unwrap();
    drop(server.accept().await);
    server.welcome(60).await;
    agent.end().await;
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left() {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    let agent = folder.run("true");
    let began = Instant::now();
    // Kept open, but never read again: no pong goes back.
    let (_silent, _) = server.welcome(1).await;
    let (_link, _) = server.welcome(60).await;
    assert!(began.elapsed() >= Duration::from_secs(3), "left after {:?}", began.elapsed());
    agent.end().await;
}

#[tokio::test]
async fn a_busy_link_to_a_silent_server_is_left_too() {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    let script = r#"
        n=0
        while :; do
            n=$((n + 1))
            echo "{\"report\":\"progress\",\"state\":\"searching\",\"progress\":{\"files_searched\":$n}}" || exit
        done"#;
    let agent = folder.run(script);
    let (mut silent, _) = server.welcome(1).await;
    silent.send(&start(run(1))).await;
    silent.progress(run(1)).await;
    let (_link, runs) = server.welcome(60).await;
    assert_eq!(runs, [run(1)], "the run is still in hand");
    agent.end().await;
}

#[tokio::test]
async fn results_are_sent_until_they_are_acknowledged() {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    let kept = outcome(RunState::Completed);
    std::fs::create_dir(folder.path().join("results")).unwrap();
    std::fs::write(folder.result(run(4)), serde_json::to_vec(&kept).unwrap()).unwrap();
    let agent = folder.run("true");
    for _ in 0..3 {
        let (mut link, runs) = server.welcome(60).await;
        assert_eq!(runs, [run(4)]);
        assert_eq!(link.finished(run(4)).await, kept);
        // Asked for again, it is not done again.
        link.send(&start(run(4))).await;
        assert_eq!(link.finished(run(4)).await, kept);
        assert!(folder.result(run(4)).exists());
    }
    let (mut link, _) = server.welcome(60).await;
    link.finished(run(4)).await;
    link.send(&ServerMessage::Acknowledged { run: run(4) }).await;
    link.send(&ServerMessage::Acknowledged { run: run(5) }).await;
    until(|| !folder.result(run(4)).exists()).await;
    drop(link);
    let (_link, runs) = server.welcome(60).await;
    assert!(runs.is_empty());
    agent.end().await;
}

#[tokio::test]
async fn a_refused_agent_tries_again() {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    let agent = folder.run("true");
    for _ in 0..2 {
        let mut link = server.accept().await;
        link.hello().await;
        link.send(&ServerMessage::Refused { reason: "a second agent of this name".to_owned() }).await;
        assert_eq!(link.next().await, None, "it leaves");
    }
    let mut link = server.accept().await;
    link.hello().await;
    link.send(&ServerMessage::Welcome { protocol: 99, heartbeat_seconds: 60, takes_errors: false }).await;
    assert_eq!(link.next().await, None, "another protocol is no welcome");
    server.welcome(60).await;
    agent.end().await;
}

#[tokio::test]
async fn an_unknown_agent_tries_again_but_slowly() {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    let agent = folder.run("true");
    let mut last = None;
    for _ in 0..3 {
        let mut stream = server.accept_raw().await;
        if let Some(last) = last.replace(Instant::now()) {
            // Half of the cap that these tests set.
            assert!(last.elapsed() >= Duration::from_millis(90), "{:?}", last.elapsed());
        }
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    }
    server.welcome(60).await;
    agent.end().await;
}

#[tokio::test]
async fn messages_that_make_no_sense_are_passed_over() {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    let agent = folder.run("true");
    let (mut link, _) = server.welcome(60).await;
    let whole = serde_json::to_string(&start(run(1))).unwrap();
    for cut in 0..whole.len() {
        link.send_text(whole[..cut].to_owned()).await;
    }
    for text in [
        "{}",
        "null",
        "[]",
        "{\"message\":\"dance\"}",
        "{\"message\":\"stop\"}",
        "{\"message\":\"start\",\"run\":7}",
    ] {
        link.send_text(text.to_owned()).await;
    }
    link.send_text("[".repeat(100_000)).await;
    link.send_raw(Message::binary(vec![0; 1000])).await.unwrap();
    link.send_raw(Message::Pong(Default::default())).await.unwrap();
    link.send(&ServerMessage::Welcome { protocol: 7, heartbeat_seconds: 0, takes_errors: false }).await;
    link.send(&ServerMessage::Stop { run: run(99) }).await;
    link.send(&start(run(2))).await;
    assert_eq!(link.next().await, Some(AgentMessage::Accepted { run: run(2) }), "the link still stands");
    agent.end().await;
}

#[tokio::test]
async fn a_job_of_a_later_version_is_refused_with_the_reason() {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    let agent = folder.run("true");
    let (mut link, _) = server.welcome(60).await;
    let mut job = serde_json::to_value(start(run(3))).unwrap();
    job["work"]["do"] = "sing".into();
    link.send_text(job.to_string()).await;
    let outcome = link.finished(run(3)).await;
    assert_eq!(outcome.state, RunState::Failed);
    assert!(outcome.reason.unwrap().contains("does not know such a job"));
    agent.end().await;
}

#[tokio::test]
async fn a_message_over_the_limit_ends_the_link_and_not_the_agent() {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    let agent = folder.run("true");
    let (mut link, _) = server.welcome(60).await;
    // The agent may hang up before all of it is sent.
    let _ = link.send_raw(Message::text("x".repeat(MAX_MESSAGE_BYTES + 1))).await;
    server.welcome(60).await;
    agent.end().await;
}

#[tokio::test]
async fn a_folder_has_one_agent() {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    let agent = folder.run("true");
    server.welcome(60).await;
    let second = roadstead_agent::run(folder.options("true"), std::future::pending()).await.unwrap_err();
    assert_eq!(second.kind(), ErrorKind::Busy);
    assert!(second.to_string().contains("another agent"), "{second}");
    agent.end().await;
    // The lock went with the first.
    let third = folder.run("true");
    server.welcome(60).await;
    third.end().await;
}

#[tokio::test]
async fn a_folder_that_is_not_enrolled_is_told() {
    let server = FakeServer::start().await;
    let folder = Folder::new(server.address());
    std::fs::remove_file(folder.path().join("agent.json")).unwrap();
    let error = roadstead_agent::run(folder.options("true"), std::future::pending()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotEnrolled);
    std::fs::write(folder.path().join("agent.json"), r#"{"server":"http://10.0.0.1"}"#).unwrap();
    let error = roadstead_agent::run(folder.options("true"), std::future::pending()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}
