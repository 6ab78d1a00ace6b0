//! Shells on machines: real terminals on a real SSH host, through the server.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    process::{Output, Stdio},
};

use roadstead_api::{
    shell::ShellSize,
    user::{NewUser, Role},
};
use roadstead_client::{
    Credentials, ErrorKind, ShellSaid,
    blocking::{Client, Machine, Shell},
};

use crate::support::{Server, Sshd, roadstead, sshd, wait_until};

const PASSWORD: &str = "correct horse battery";

/// A server with one host as a machine, `web`.
fn start(ip: &str) -> Option<(Server, Sshd, Machine)> {
    if !sshd::is_there() {
        return None;
    }
    let (server, host) = (Server::start(), Sshd::start(ip));
    server.client.add_backend(&host.backend("web")).unwrap();
    let machine = server.client.machines().unwrap().remove(0);
    Some((server, host, machine))
}

/// Reads until the terminal has shown this.
fn until(shell: &mut Shell, wanted: &str) -> String {
    let mut shown = String::new();
    while !shown.contains(wanted) {
        match shell.said().unwrap() {
            ShellSaid::Output(bytes) => shown.push_str(&String::from_utf8_lossy(&bytes)),
            ShellSaid::Ended(status) => panic!("it ended with {status}: {shown}"),
        }
    }
    shown
}

fn ended(shell: &mut Shell) -> u32 {
    loop {
        if let ShellSaid::Ended(status) = shell.said().unwrap() {
            return status;
        }
    }
}

#[test]
fn a_terminal_shows_what_is_typed_and_knows_its_size() {
    let Some((server, _host, machine)) = start("127.0.0.63") else { return };
    let mut shell = machine.open_shell(ShellSize { columns: 91, rows: 33 }).unwrap();
    shell.send(b"stty size; echo \"sum $((20 + 1))\"\n").unwrap();
    assert!(until(&mut shell, "sum 21").contains("33 91"));
    shell.resize(ShellSize { columns: 132, rows: 50 }).unwrap();
    shell.send(b"stty size\n").unwrap();
    until(&mut shell, "50 132");
    // More than any buffer on the way holds.
    shell.send(b"head -c 3000000 /dev/zero | tr '\\0' x; echo; echo \"al\"l\n").unwrap();
    assert!(until(&mut shell, "all\r\n").len() > 3_000_000);
    shell.send(b"exit 7\n").unwrap();
    assert_eq!(ended(&mut shell), 7);

    // One that is left alone goes with whoever opened it.
    let mut left = machine.open_shell(ShellSize::default()).unwrap();
    left.send(b"echo pid=$$.\n").unwrap();
    // What is typed is shown, too, and a number may come in two pieces: only one with its full stop counts.
    let mut shown = String::new();
    let pid = loop {
        shown.push_str(&until(&mut left, "."));
        let mut told = shown.split("pid=").filter_map(|rest| rest.split_once('.'));
        if let Some(pid) = told.find_map(|(digits, _)| digits.parse::<i32>().ok()) {
            break pid;
        }
    };
    drop(left);
    wait_until("the shell is gone", || !std::path::Path::new(&format!("/proc/{pid}")).exists());

    let told = |action: &str| {
        let entries = server.client.audit().unwrap();
        let of =
            |entry: &&roadstead_api::audit::AuditEntry| entry.action == action && entry.actor == "user admin";
        entries.iter().filter(of).map(|entry| entry.target.clone()).collect::<Vec<_>>()
    };
    wait_until("both ends are told", || told("machine_shell_close").len() == 2);
    let mut opened = told("machine_shell_open");
    let mut closed = told("machine_shell_close");
    opened.sort();
    closed.sort();
    assert_eq!(opened, closed);
    assert!(opened.iter().all(|target| target.starts_with(&machine.id.0)), "{opened:?}");
}

fn cli(server: &Server, machine: &str, typed: &str) -> Output {
    let mut command = roadstead();
    command.args(["ssh", machine, "--url", &server.url]).env("ROADSTEAD_API_KEY", &server.api_key);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may have ended before it has read anything.
    let _ = child.stdin.as_mut().unwrap().write_all(typed.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn the_command_line_joins_its_terminal_to_the_machine_s() {
    let Some((server, _host, _)) = start("127.0.0.64") else { return };
    let output = cli(&server, "web", "echo $((40 + 2)).; exit\n");
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("42."), "{output:?}");
    assert_eq!(cli(&server, "web", "exit 3\n").status.code(), Some(1));
    assert!(!cli(&server, "no-such", "").status.success());
}

#[test]
fn only_admins_and_pages_of_the_server_open_shells() {
    let Some((server, mut host, machine)) = start("127.0.0.65") else { return };
    let user = NewUser { username: "ann".into(), password: PASSWORD.into(), role: Role::Creator };
    server.client.create_user(&user).unwrap();
    let credentials = Credentials::Password { username: "ann".into(), password: PASSWORD.into() };
    let creator = Client::new(&server.url, credentials).unwrap();
    let refused = creator.get_machine(&machine.id).unwrap().open_shell(ShellSize::default());
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Forbidden);
    let none = ShellSize { columns: 0, rows: 24 };
    assert_eq!(machine.open_shell(none).unwrap_err().kind(), ErrorKind::Invalid);

    // A cookie counts with the server's own origin only.
    let path = format!("/api/v1/machines/{}/shell", machine.id);
    let admin = server.admin();
    let body = format!("{{\"username\":{},\"password\":{}}}", admin["username"], admin["password"]);
    let signed_in = ureq::post(format!("{}/api/v1/sessions", server.url))
        .header("origin", &server.url)
        .header("content-type", "application/json")
        .send(body.as_str())
        .unwrap();
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let address = server.url.strip_prefix("http://").unwrap();
    let status = |origin: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\norigin: {origin}\r\nconnection: Upgrade\r\n\
             upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    };
    assert!(status("https://evil.example.com").contains(" 403 "));
    assert!(status(&server.url).contains(" 101 "));

    // A machine that cannot be reached says so.
    host.stop();
    let mut shell = machine.open_shell(ShellSize::default()).unwrap();
    let error = shell.said().unwrap_err();
    assert!(error.to_string().contains("127.0.0.65"), "{error}");
}
