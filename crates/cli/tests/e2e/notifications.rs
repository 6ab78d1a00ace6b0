//! Webhooks: what has happened is told, signed, until it is taken; and one that hangs keeps no other waiting.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::Command,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use roadstead_api::notification_channel::{NewNotificationChannel, Notification, Topic, usual};
use roadstead_client::ErrorKind;

use crate::support::{Agent, Server, roadstead, tree, wait_until};

/// A request as it came.
struct Post {
    headers: BTreeMap<String, String>,
    body: String,
}

impl Post {
    fn notification(&self) -> Notification {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether the signature is right, in the eyes of another program.
    fn is_signed(&self, secret: &str) -> bool {
        let text = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(text.path(), format!("{}.{}", self.headers["roadstead-timestamp"], self.body))
            .unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args(["dgst", "-sha256", "-hmac", secret]).arg(text.path());
        let output = openssl.output().unwrap();
        let digest = String::from_utf8(output.stdout).unwrap();
        let digest = digest.trim().rsplit(' ').next().unwrap();
        self.headers["roadstead-signature"] == format!("v1={digest}")
    }
}

/// A webhook on a real socket that answers each request with the next of these statuses, the last one for ever. Without
/// any it takes connections and says nothing.
fn hook(statuses: &'static [u16]) -> (String, Receiver<Post>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook?token=secret", listener.local_addr().unwrap());
    let (told, posts) = channel();
    thread::spawn(move || {
        let mut answers = statuses.iter().chain(std::iter::repeat(statuses.last().unwrap_or(&0)));
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let status = *answers.next().unwrap();
            if status == 0 {
                silent.push(stream);
                continue;
            }
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut headers = BTreeMap::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                match line.trim_end().split_once(": ") {
                    Some((name, value)) => drop(headers.insert(name.to_lowercase(), value.to_owned())),
                    None if line.trim_end().is_empty() => break,
                    None => {}
                }
            }
            let length: usize = headers["content-length"].parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            if told.send(Post { headers, body: String::from_utf8(body).unwrap() }).is_err() {
                return;
            }
        }
    });
    (url, posts)
}

fn new(name: &str, url: String, topics: Vec<Topic>) -> NewNotificationChannel {
    NewNotificationChannel { name: name.to_owned(), url, topics }
}

fn next(posts: &Receiver<Post>) -> Post {
    posts.recv_timeout(Duration::from_secs(60)).unwrap()
}

#[test]
fn the_end_of_a_backup_is_told_and_signed_until_it_is_taken() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 1000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let (silent, _never) = hook(&[]);
    server.client.create_notification_channel(&new("silent", silent, vec![Topic::Success])).unwrap();
    let (url, posts) = hook(&[500, 200]);
    let made = server.client.create_notification_channel(&new("chat", url, vec![Topic::Success])).unwrap();
    assert!(made.channel.origin.starts_with("http://127.0.0.1:") && !made.channel.origin.contains("token"));
    let (failures, only_failures) = hook(&[200]);
    server.client.create_notification_channel(&new("failures", failures, usual())).unwrap();

    let backup = agent.back_up_well(&server, configuration);
    let (first, second) = (next(&posts), next(&posts));
    assert_eq!(first.headers["roadstead-delivery"], second.headers["roadstead-delivery"]);
    assert!(first.is_signed(&made.secret) && second.is_signed(&made.secret));
    assert!(!second.is_signed("another secret"));
    let told = second.notification();
    assert_eq!((told.noun.as_str(), told.id), ("backup", backup.id.to_string()));
    assert_eq!((told.topic, told.state.as_str()), (Topic::Success, "completed"));
    wait_until("it is delivered", || {
        let channel = server.client.get_notification_channel(made.channel.id).unwrap();
        channel.waiting == 0 && channel.delivered_at.is_some() && channel.error.is_none()
    });

    // A quota that is used up fails the backup, and opens an alarm.
    tree::fill(source.path(), 40, 1 << 20);
    server.client.set_quota(Some(&agent.vault), 1 << 20).unwrap();
    let failed = agent.back_up(&server, configuration);
    let mut told = [next(&only_failures).notification(), next(&only_failures).notification()];
    told.sort_by_key(|notification| notification.topic);
    assert_eq!((told[0].topic, told[0].state.as_str()), (Topic::Failure, "failed"));
    assert_eq!(told[0].id, failed.id.to_string());
    assert!(told[0].message.contains("The quota of this vault"), "{}", told[0].message);
    assert_eq!(
        (told[1].topic, told[1].noun.as_str(), told[1].state.as_str()),
        (Topic::Alarm, "alarm", "open")
    );
    let rows =
        String::from_utf8_lossy(&std::fs::read(server.folder().join("roadstead.db")).unwrap_or_default())
            .contains("token=secret");
    assert!(!rows, "the URL is sealed");
}

#[test]
fn a_test_says_what_is_wrong() {
    let server = Server::start();
    let (url, posts) = hook(&[200, 404]);
    let made = server.client.create_notification_channel(&new("chat", url, usual())).unwrap();
    let id = made.channel.id;
    assert!(server.client.test_notification_channel(id).unwrap().delivered);
    let post = next(&posts);
    assert!(post.is_signed(&made.secret) && post.notification().state == "test");
    let error = server.client.test_notification_channel(id).unwrap().error.unwrap();
    assert!(error.contains("404"), "{error}");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, wanted) in [
        (format!("http://{free}/"), "cannot be reached"),
        ("http://169.254.169.254/latest/meta-data".to_owned(), "link-local"),
    ] {
        let made = server.client.create_notification_channel(&new("x", url, usual())).unwrap();
        let error = server.client.test_notification_channel(made.channel.id).unwrap().error.unwrap();
        assert!(error.contains(wanted), "{error}");
    }
    let wrong = server.client.create_notification_channel(&new("x", "file:///etc/passwd".into(), usual()));
    assert_eq!(wrong.unwrap_err().kind(), ErrorKind::Invalid);
    server.client.delete_notification_channel(id).unwrap();
    assert_eq!(server.client.get_notification_channel(id).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn the_command_line_makes_a_channel_and_asks_the_server_alone() {
    let server = Server::start();
    let (url, posts) = hook(&[200]);
    let ask = |arguments: &[&str]| -> serde_json::Value {
        let mut command = roadstead();
        command.args(["notification-channels", "-o", "json"]).args(arguments);
        command.env("ROADSTEAD_URL", &server.url).env("ROADSTEAD_API_KEY", &server.api_key);
        let done = command.output().unwrap();
        assert!(done.status.success(), "{done:?}");
        serde_json::from_slice(&done.stdout).unwrap()
    };
    let made = ask(&["create", "--name", "chat", "--webhook", &url, "--on", "failure"]);
    let channel = &made["channel"];
    let said = (channel["name"].as_str(), channel["topics"][0].as_str());
    assert_eq!(said, (Some("chat"), Some("failure")), "{made}");
    assert_eq!(ask(&["test", &channel["id"].to_string()])["delivered"], true);
    let post = posts.recv().unwrap();
    assert!(post.is_signed(made["secret"].as_str().unwrap()));
    assert!(!post.headers.contains_key("authorization"), "{:?}", post.headers);
}
