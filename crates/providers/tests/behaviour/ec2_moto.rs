//! `ec2` on moto, a stand-in for Amazon's services that somebody else wrote: what it answers nobody here made up.
//!
//! It makes changes at once and gives pages only to those who ask for small ones, so something in between asks for
//! such.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use roadstead_api::machine::MachineState;
use roadstead_providers::{Capability, Driver, MachineOrder, SeenMachine};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{
    life::comes_to,
    stage::{Given, PATIENT, driver, order},
};

/// An image that moto knows.
const IMAGE: &str = "ami-12c6146b";
const PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIaqu2cXT4kWbCbBYJNSDaAvkKgR4EBXbsRLzMBBVhOi me@home";
/// What the driver asks for, and what goes on in its place: as long, so that nothing else has to change.
const PAGES: (&str, &str) = ("MaxResults=1000", "MaxResults=0004");

/// A moto of its own, on a port of its own.
struct Moto {
    process: Child,
    address: SocketAddr,
}

impl Moto {
    /// Starts the program in `ROADSTEAD_MOTO`, or the one in the path; without any the test says so and passes, but
    /// not in CI.
    fn start() -> Option<Self> {
        let program = std::env::var("ROADSTEAD_MOTO").unwrap_or_else(|_| "moto_server".to_owned());
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", "0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let Ok(mut process) = command.spawn() else {
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "there is no moto_server");
            println!("skipped: there is no moto_server to test against");
            return None;
        };
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            line.unwrap().split_once("Running on http://").map(|(_, address)| address.trim().parse().unwrap())
        });
        // It must never wait for somebody to read what it says.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { process, address: address.unwrap() })
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It holds nothing that would have to be put in order.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Puts something before moto that asks for small pages; says where, and counts the pages that were asked for.
async fn small_pages(moto: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let upstream = TcpStream::connect(moto).await.unwrap();
            let (from_moto, to_moto) = upstream.into_split();
            let (from_client, to_client) = client.into_split();
            tokio::spawn(pass_on(from_client, to_moto, Arc::clone(&counted)));
            tokio::spawn(async move {
                let (mut from, mut to) = (from_moto, to_client);
                // Either end may close; then so does the other.
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    (address, count)
}

/// Passes requests on, one whole one after the other.
async fn pass_on(
    from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    count: Arc<AtomicUsize>,
) {
    let mut from = tokio::io::BufReader::new(from);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let begun = head.len();
            if from.read_line(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = head[begun..].to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body).await.unwrap();
        let body = String::from_utf8(body).unwrap();
        count.fetch_add(body.matches(PAGES.0).count(), Ordering::Relaxed);
        let request = head + &body.replace(PAGES.0, PAGES.1);
        to.write_all(request.as_bytes()).await.unwrap();
    }
}

async fn comes(driver: &dyn Driver, id: &str, state: MachineState) -> SeenMachine {
    comes_to(driver, id, |machine| machine.state == state).await
}

#[tokio::test]
async fn fifty_machines_live_their_lives() {
    let Some(moto) = Moto::start() else { return };
    let (address, pages) = small_pages(moto.address).await;
    let fields: Given = serde_json::from_value(
        json!({"api_key": "test", "api_secret": "test", "endpoint": format!("http://{address}")}),
    )
    .unwrap();
    let driver = driver("ec2", &fields, PATIENT);
    driver.validate().await.unwrap();
    let offered = driver.images(Some(IMAGE)).await.unwrap();
    assert_eq!((offered.len(), offered[0].id.as_str()), (1, IMAGE));
    let network = driver.networks().await.unwrap().into_iter().find(|network| !network.subnets.is_empty());
    let network = network.unwrap();
    let zone = driver.locations().await.unwrap().remove(0).id;
    for round in 0..10 {
        let five = MachineOrder {
            quantity: 5,
            location: Some(zone.clone()),
            networks: vec![network.id.clone()],
            public_key: Some(PUBLIC_KEY.into()),
            user_data: Some("#cloud-config\n".into()),
            ..order(&format!("web-{round}"), IMAGE, "t3.micro")
        };
        assert_eq!(driver.create(&five).await.unwrap().len(), 5);
    }
    pages.store(0, Ordering::Relaxed);
    let machines = driver.machines().await.unwrap();
    assert_eq!(pages.load(Ordering::Relaxed), 3, "ten orders, four on a page");
    assert_eq!(machines.len(), 50);
    let named = |name: &str| machines.iter().filter(|machine| machine.name == name).count();
    assert_eq!((named("web-0-1"), named("web-9-5")), (1, 1));
    for machine in &machines {
        assert_eq!((machine.image.as_deref(), machine.size.as_deref()), (Some(IMAGE), Some("t3.micro")));
        assert_eq!(machine.location.as_deref(), Some(zone.as_str()));
        assert!(!machine.private_ips.is_empty(), "{machine:?}");
    }
    lives(&*driver, &machines[7].external_id).await;
    for machine in &machines {
        driver.destroy(&machine.external_id).await.unwrap();
    }
    let left = driver.machines().await.unwrap();
    assert!(left.iter().all(|machine| machine.state == MachineState::Terminated));
}

/// What one machine of them goes through.
async fn lives(driver: &dyn Driver, id: &str) {
    driver.stop(id).await.unwrap();
    let stopped = comes(driver, id, MachineState::Stopped).await;
    assert!(stopped.actions.contains(Capability::Resize));
    driver.resize(id, "t3.small").await.unwrap();
    driver.start(id).await.unwrap();
    let running = comes(driver, id, MachineState::Running).await;
    assert_eq!(running.size.as_deref(), Some("t3.small"));
    driver.reboot(id).await.unwrap();
    comes(driver, id, MachineState::Running).await;
    driver.rename(id, "renamed").await.unwrap();
    driver.set_tags(id, &["web".into(), "env=prod".into()]).await.unwrap();
    driver.set_tags(id, &["env=test".into()]).await.unwrap();
    let tagged = comes_to(driver, id, |machine| machine.name == "renamed").await;
    assert_eq!(tagged.tags, ["env=test"]);
    driver.console_output(id).await.unwrap();
}
