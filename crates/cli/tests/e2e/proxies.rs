//! An agent that reaches its server through an HTTP proxy alone.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Output,
    sync::{Arc, Mutex},
    thread,
};

use roadstead_api::agent::{EnrolmentTokenCreate, NewEnrolmentToken};

use crate::support::{Agent, Server, roadstead, tree, wait_until};

/// A name that nobody resolves: whoever gets there went through the proxy.
const NAME: &str = "backup.roadstead.invalid:7643";
/// `me:se@cret`.
const PROOF: &str = "Basic bWU6c2VAY3JldA==";

/// A proxy for one server, whatever its name, that wants a user and a password.
struct Proxy {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let list = Arc::clone(&asked);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (server, list) = (server.clone(), Arc::clone(&list));
                // Either side may leave as it likes.
                thread::spawn(move || drop(serve(client, &server, &list)));
            }
        });
        Self { address, asked }
    }
}

fn serve(mut client: TcpStream, server: &str, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut head = BufReader::with_capacity(1, client.try_clone()?);
    let (mut first, mut proof) = (String::new(), String::new());
    head.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        if head.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("proxy-authorization")
        {
            proof = value.trim().to_owned();
        }
    }
    if proof != PROOF {
        return client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    }
    asked.lock().unwrap().push(first.trim().to_owned());
    let mut there = TcpStream::connect(server)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut back_from, mut back_to) = (there.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut back_from, &mut back_to);
        back_to.shutdown(std::net::Shutdown::Both)
    });
    let copied = io::copy(&mut client, &mut there);
    let _ = there.shutdown(std::net::Shutdown::Both);
    copied.map(drop)
}

fn enroll(server: &Server, folder: &Path, proxy: &str) -> Output {
    let token = server.call::<EnrolmentTokenCreate>(&(), &NewEnrolmentToken::default()).token;
    let url = format!("https://{NAME}");
    let mut command = roadstead();
    command
        .args(["agent", "enroll", "--server", &url, "--token", &token, "--name", "behind", "--proxy", proxy]);
    command.arg("--data-dir").arg(folder).output().unwrap()
}

#[test]
fn enrolment_link_and_vault_go_through_the_proxy() {
    let server = Server::known_as(&format!("https://{NAME}"));
    let (_, address) = server.url.split_once("://").unwrap();
    let proxy = Proxy::start(address.to_owned());
    let folder = tempfile::tempdir().unwrap();
    let refused = enroll(&server, &folder.path().join("refused"), &proxy.address);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("wants a user and a password"), "{said}");
    assert!(proxy.asked.lock().unwrap().is_empty());

    let secret = folder.path().join("proxy");
    fs::write(&secret, format!("http://me:se%40cret@{}\n", proxy.address)).unwrap();
    let data = tempfile::tempdir().unwrap();
    let enrolled = enroll(&server, data.path(), &format!("@{}", secret.display()));
    assert!(enrolled.status.success(), "{enrolled:?}");
    let agent = Agent::resume(data);
    wait_until("the agent is connected", || server.client.get_agent(agent.id).unwrap().connected);
    let before = proxy.asked.lock().unwrap().len();
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 10_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    let target = tempfile::tempdir().unwrap();
    agent.restore_well(&server, backup, target.path(), &[]);
    let asked = proxy.asked.lock().unwrap().clone();
    assert!(before >= 2 && asked.len() > before, "{asked:?}");
    assert!(asked.iter().all(|line| line == &format!("CONNECT {NAME} HTTP/1.1")), "{asked:?}");
    assert!(!agent.log().contains("se@cret") && !agent.log().contains("se%40cret"));
}
