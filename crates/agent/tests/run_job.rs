//! The process of a job, for real, against servers that do not answer.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test ends where it fails")]

mod support;

use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use roadstead_api::{link::Outcome, run::RunState};
use support::{Folder, job, run};

/// Not a test: the job that the others start, in a process of its own.
#[test]
#[ignore = "run by other tests"]
fn job_of_its_own() {
    roadstead_agent::run_job().unwrap();
}

struct Job {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Job {
    fn start(server: &TcpListener, folder: &Folder, id: i64) -> Self {
        let order = serde_json::json!({
            "server": format!("http://{}", server.local_addr().unwrap()),
            "credential": support::CREDENTIAL,
            "data_dir": folder.path(),
            "job": job(run(id)),
        });
        let mut job = Self::start_with(&format!("{order}\n"));
        job.stdin.as_mut().unwrap().flush().unwrap();
        job
    }

    fn start_with(input: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "job_of_its_own", "--ignored"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take();
        stdin.as_mut().unwrap().write_all(input.as_bytes()).unwrap();
        Self { child, stdin }
    }

    fn tell(&mut self, line: &str) {
        self.stdin.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    /// Lets go of standard input and waits for the end; how long that took.
    fn let_go(&mut self) -> Duration {
        let began = Instant::now();
        self.stdin = None;
        self.child.wait().unwrap();
        began.elapsed()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // It may have ended; a test that failed before must not leave it behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn server() -> (TcpListener, Folder) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new(server.local_addr().unwrap());
    (server, folder)
}

/// The next connection, which nobody will answer.
fn connection(server: &TcpListener) -> TcpStream {
    server.accept().unwrap().0
}

fn result(folder: &Folder, id: i64) -> Option<Outcome> {
    std::fs::read(folder.result(run(id))).ok().map(|json| serde_json::from_slice(&json).unwrap())
}

#[test]
fn the_end_of_standard_input_ends_a_job_that_hangs() {
    let (server, folder) = server();
    let mut job = Job::start(&server, &folder, 1);
    // It is in the middle of a call to a server that says nothing.
    let _silent = connection(&server);
    let took = job.let_go();
    // Far less than the minute that the call may take.
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn an_orphan_keeps_a_result_that_says_so() {
    let (server, folder) = server();
    let mut job = Job::start(&server, &folder, 1);
    // Hung up at once, so that the job sits in a back-off, where it can notice.
    drop(connection(&server));
    drop(connection(&server));
    job.let_go();
    let outcome = result(&folder, 1).expect("no result");
    assert_eq!(outcome.state, RunState::Failed);
    assert_eq!(outcome.reason.as_deref(), Some("the agent ended while the job ran"));
}

#[test]
fn a_job_that_is_told_to_stop_is_cancelled() {
    let (server, folder) = server();
    let mut job = Job::start(&server, &folder, 1);
    drop(connection(&server));
    drop(connection(&server));
    job.tell("\"asked\"\n");
    job.let_go();
    // Written by the job itself, which it is only where the work let go in time.
    let outcome = result(&folder, 1).expect("no result");
    assert_eq!((outcome.state, outcome.reason), (RunState::Cancelled, None));
}

#[test]
fn a_server_that_refuses_fails_the_job_with_the_reason() {
    let (server, folder) = server();
    let mut job = Job::start(&server, &folder, 1);
    let (requests, seen) = mpsc::channel();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = server.accept() {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            let reply = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(reply.as_bytes()).unwrap();
            // The test is over when nobody listens.
            let _ = requests.send(String::from_utf8_lossy(&request[..length]).into_owned());
        }
    });
    let status = job.child.wait().unwrap();
    assert!(status.success(), "a failed job is no failure of its process");
    let request = seen.recv().unwrap();
    assert!(request.contains(" /vaults/vault-1/") && request.contains("Bearer the-credential"), "{request}");
    let outcome = result(&folder, 1).expect("no result");
    assert_eq!(outcome.state, RunState::Failed);
    assert!(outcome.reason.is_some_and(|reason| !reason.contains(support::CREDENTIAL)));
}

#[test]
fn a_job_waits_for_the_one_before_it() {
    let (server, folder) = server();
    let first = Job::start(&server, &folder, 1);
    let _silent = connection(&server);
    // The second lives and dies without a word to the server.
    let mut second = Job::start(&server, &folder, 2);
    second.tell("\"asked\"\n");
    second.let_go();
    assert_eq!(result(&folder, 2).expect("no result").state, RunState::Cancelled);
    server.set_nonblocking(true).unwrap();
    assert_eq!(server.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    server.set_nonblocking(false).unwrap();
    // The third comes through once the first is killed, as an agent's death or the kernel would.
    let third = Job::start(&server, &folder, 3);
    drop(first);
    drop(connection(&server));
    drop(third);
}

#[test]
fn what_is_no_order_is_refused() {
    for input in ["\n", "{}\n", "{\"server\":\"http://10.0.0.1\"}\n", "\u{0}\n"] {
        let mut job = Job::start_with(input);
        assert!(!job.child.wait().unwrap().success());
    }
}
