//! `libvirt` on the real thing: libvirt's own test driver, and a libvirtd with QEMU whose machine boots, answers the
//! power button, and is destroyed.
//!
//! The libvirtd is one of a user's session, with all that it keeps in a folder of the test's, so that it meets no other
//! on this machine. The machine's disk is a boot sector that is made here: it says on the serial port that it is up,
//! switches on the power button of ACPI, and powers off when that is pressed. So it boots in a second, without a
//! kernel, and by software alone.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use roadstead_api::machine::MachineState;
use roadstead_providers::{Driver, ErrorKind, LocalAccess, MachineOrder, SeenMachine};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    sshd::{self, Sshd},
    stage::{Given, PATIENT, Stage, driver, driver_of, order, setup},
    suite,
};

const LIBVIRTD: &str = "/usr/sbin/libvirtd";
/// Who runs libvirtd where the tests run as root: libvirt knows no session of root.
const NOBODY: &str = "65534";

/// The machine's first sector. PC machines of QEMU have ACPI's power management at port 0x600.
const BOOT: &[u8] = &[
    0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, // cli; ds = ss = 0
    0xbc, 0x00, 0x7c, 0xfc, // sp = 0x7c00; cld
    0xbe, 0x40, 0x7c, 0xe8, 0x23, 0x00, // say "guest is up"
    0xba, 0x02, 0x06, 0xb8, 0x00, 0x01, 0xef, // PM1 enable: power button
    0xfb, 0xf4, 0xfa, // sti; wait for an interrupt; cli
    0xba, 0x00, 0x06, 0xed, 0xf6, 0xc4, 0x01, 0x74, 0xf4, // PM1 status: pressed? else wait on
    0xbe, 0x4e, 0x7c, 0xe8, 0x0a, 0x00, // say "power button"
    0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, // PM1 control: sleep, soft off
    0xf4, 0xeb, 0xfd, // stay
    0xba, 0xf8, 0x03, 0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8, 0xc3, // say: each byte to COM1
];
const UP: &str = "guest is up\r\n";
const PRESSED: &str = "power button\r\n";

fn boot_disk() -> Vec<u8> {
    let mut disk = vec![0; 1 << 20];
    disk[..BOOT.len()].copy_from_slice(BOOT);
    disk[0x40..0x40 + UP.len()].copy_from_slice(UP.as_bytes());
    disk[0x4e..0x4e + PRESSED.len()].copy_from_slice(PRESSED.as_bytes());
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk
}

fn has(program: &str, flag: &str) -> bool {
    let found = Command::new(program).arg(flag).stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// Whether there is a libvirt to test with. In CI there has to be.
fn is_there() -> bool {
    let programs = [LIBVIRTD, "virsh", "qemu-system-x86_64", "qemu-img"];
    let there = programs.iter().all(|program| has(program, "--version"));
    assert!(there || std::env::var_os("CI").is_none_or(|ci| ci != "true"), "one of {programs:?} is missing");
    if !there {
        println!(
            "skipped: it takes libvirtd, virsh and QEMU (Debian: libvirt-daemon, libvirt-clients, qemu-system-x86)"
        );
    }
    there
}

/// A running libvirtd with a pool of one image. It ends, with its machines and files, when this is dropped.
struct Hypervisor {
    child: Child,
    folder: TempDir,
    sshd: Option<Sshd>,
}

impl Drop for Hypervisor {
    fn drop(&mut self) {
        // Machines outlive libvirtd, and so does the daemon that keeps their logs.
        let left = self.virsh(&["list", "--uuid"]).output().map(|output| output.stdout).unwrap_or_default();
        for id in String::from_utf8_lossy(&left).lines().filter(|line| !line.is_empty()) {
            let _ = self.virsh(&["destroy", id]).output();
        }
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        if let Ok(pid) = fs::read_to_string(self.folder.path().join("run/libvirt/virtlogd.pid")) {
            let _ = Command::new("kill").arg(pid.trim()).stderr(Stdio::null()).status();
        }
    }
}

/// A command that runs in the session of the test's.
fn in_session(folder: &Path) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    if sshd::user() == "root" {
        words.extend(["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"].map(str::to_owned));
    }
    words.push("env".into());
    let folders = [
        ("HOME", ""),
        ("XDG_RUNTIME_DIR", "run"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_DATA_HOME", "data"),
    ];
    words.extend(folders.map(|(name, part)| format!("{name}={}", folder.join(part).display())));
    words
}

impl Hypervisor {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        for part in ["run", "config", "cache", "data", "pool"] {
            fs::create_dir(path.join(part)).unwrap();
        }
        fs::write(path.join("tiny.img"), boot_disk()).unwrap();
        if sshd::user() == "root" {
            assert!(Command::new("chown").args(["-R", NOBODY]).arg(path).status().unwrap().success());
        }
        let words = in_session(path);
        let log = fs::File::create(path.join("log")).unwrap();
        let child = Command::new(&words[0])
            .args(&words[1..])
            .arg(LIBVIRTD)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut hypervisor = Self { child, folder, sshd: None };
        hypervisor.wait().await;
        let pool = hypervisor.folder.path().join("pool").display().to_string();
        let image = hypervisor.folder.path().join("tiny.img").display().to_string();
        for words in [
            &["pool-define-as", "images", "dir", "--target", &pool][..],
            &["pool-start", "images"],
            &["vol-create-as", "images", "tiny.img", "1M", "--format", "raw"],
            &["vol-upload", "tiny.img", &image, "--pool", "images"],
        ] {
            let output = hypervisor.virsh(words).output().unwrap();
            assert!(output.status.success(), "{words:?}: {output:?}");
        }
        hypervisor
    }

    async fn wait(&mut self) {
        let begun = Instant::now();
        while !self.virsh(&["version"]).output().unwrap().status.success() {
            let ended = self.child.try_wait().unwrap().is_some();
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(!ended && begun.elapsed() < Duration::from_secs(60), "libvirtd does not start: {log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn uri(&self) -> String {
        format!("qemu+unix:///session?socket={}/run/libvirt/libvirt-sock", self.folder.path().display())
    }

    /// virsh, as the second opinion.
    fn virsh(&self, words: &[&str]) -> Command {
        let mut command = Command::new("virsh");
        command.args(["-q", "-c", &self.uri()]).args(words);
        command
    }

    /// Opens an SSH server whose commands run in the session.
    async fn open_ssh(&mut self) {
        let sshd = Sshd::start("127.0.0.10", "ed25519").await;
        let words: Vec<String> =
            in_session(self.folder.path()).iter().map(|word| format!("'{word}'")).collect();
        sshd.write_script("session", &format!("#!/bin/sh\nexec {} sh -c \"$1\"\n", words.join(" ")));
        self.sshd = Some(sshd);
    }

    fn here(&self, more: serde_json::Value) -> Arc<dyn Driver> {
        let mut fields: Given = serde_json::from_value(json!({"uri": self.uri(), "emulate": true})).unwrap();
        fields.extend(serde_json::from_value::<Given>(more).unwrap());
        let mut listed = setup("libvirt", &fields, PATIENT);
        listed.local = LocalAccess { hypervisors: vec![self.uri()], ..LocalAccess::default() };
        driver_of("libvirt", listed)
    }

    fn with(&self, host: &str, port: u16, key: String) -> Given {
        let fields = json!({"machine_hostname": host, "ssh_port": port, "machine_user": sshd::user(), "machine_key": key,
            "session": true, "emulate": true, "remove_storage": true});
        serde_json::from_value(fields).unwrap()
    }
}

impl Stage for Hypervisor {
    fn provider(&self) -> &'static str {
        "libvirt"
    }

    fn fields(&self) -> Given {
        let address = self.sshd.as_ref().unwrap().address;
        self.moved_to(&address.ip().to_string(), address.port())
    }

    fn wrong_credentials(&self) -> Given {
        let sshd = self.sshd.as_ref().unwrap();
        self.with(&sshd.address.ip().to_string(), sshd.address.port(), sshd.other_key())
    }

    fn moved_to(&self, host: &str, port: u16) -> Given {
        self.with(host, port, self.sshd.as_ref().unwrap().read("client"))
    }

    fn reboots(&self) -> usize {
        self.sshd.as_ref().unwrap().reboots()
    }

    fn connections(&self) -> Option<usize> {
        None
    }
}

fn tiny(name: &str) -> MachineOrder {
    MachineOrder {
        public_key: Some("ssh-ed25519 AAAA".into()),
        user_data: Some("#cloud-config\nhostname: tiny\n".into()),
        ..order(name, "images/tiny.img", "1x64")
    }
}

async fn seen(driver: &dyn Driver, id: &str) -> Option<SeenMachine> {
    driver.machines().await.unwrap().into_iter().find(|machine| machine.external_id == id)
}

/// Waits until something is so.
async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !so().await {
        assert!(begun.elapsed() < Duration::from_secs(300), "it never came to that: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn until_up(driver: &dyn Driver, id: &str, times: usize) {
    until("up", async || driver.console_output(id).await.unwrap().matches(UP).count() >= times).await;
}

async fn until_state(driver: &dyn Driver, id: &str, state: MachineState) {
    until(state.as_str(), async || seen(driver, id).await.is_some_and(|machine| machine.state == state))
        .await;
}

async fn a_machine_boots_and_heeds_the_power_button(
    hypervisor: &Hypervisor,
    driver: &dyn Driver,
    name: &str,
) -> String {
    let made = driver.create(&tiny(name)).await.unwrap().remove(0);
    let id = made.external_id.clone();
    assert_eq!((made.image.as_deref(), made.size.as_deref()), (Some("images/tiny.img"), Some("1x64")));
    until_up(driver, &id, 1).await;
    assert_eq!(driver.create(&tiny(name)).await.unwrap()[0].external_id, id, "the same order makes nothing");
    let other = MachineOrder { token: "another".into(), ..tiny(name) };
    assert_eq!(driver.create(&other).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(driver.start(&id).await.unwrap_err().kind(), ErrorKind::Conflict);

    driver.reboot(&id).await.unwrap();
    until_up(driver, &id, 2).await;
    driver.set_tags(&id, &["it's <blue>!".into()]).await.unwrap();
    driver.stop(&id).await.unwrap();
    until_state(driver, &id, MachineState::Stopped).await;
    let console = driver.console_output(&id).await.unwrap();
    assert_eq!(console.matches(PRESSED).count(), 2, "{console}");

    driver.rename(&id, &format!("{name}-2")).await.unwrap();
    driver.resize(&id, "2x96").await.unwrap();
    let machine = seen(driver, &id).await.unwrap();
    assert_eq!((machine.name, machine.size.as_deref()), (format!("{name}-2"), Some("2x96")));
    assert_eq!(machine.tags, ["it's <blue>!"]);
    assert!(hypervisor.virsh(&["snapshot-create-as", &id, "before"]).output().unwrap().status.success());
    assert_eq!(seen(driver, &id).await.unwrap().extra["snapshots"], json!(["before"]));
    driver.start(&id).await.unwrap();
    until_up(driver, &id, 3).await;
    assert!(hypervisor.virsh(&["suspend", &id]).output().unwrap().status.success());
    until_state(driver, &id, MachineState::Suspended).await;
    driver.start(&id).await.unwrap();
    until_state(driver, &id, MachineState::Running).await;
    id
}

fn volumes(hypervisor: &Hypervisor) -> String {
    assert!(hypervisor.virsh(&["pool-refresh", "images"]).output().unwrap().status.success());
    String::from_utf8(hypervisor.virsh(&["vol-list", "images"]).output().unwrap().stdout).unwrap()
}

#[tokio::test]
async fn a_real_machine_here_and_over_ssh() {
    if !is_there() {
        return;
    }
    let mut hypervisor = Hypervisor::start().await;
    let here = hypervisor.here(json!({}));
    here.validate().await.unwrap();
    let id = a_machine_boots_and_heeds_the_power_button(&hypervisor, &*here, "here").await;
    let images: Vec<String> = here.images(None).await.unwrap().into_iter().map(|image| image.id).collect();
    assert_eq!(images, ["images/tiny.img"], "a machine's disk and its seed are no images");
    assert_eq!(here.locations().await.unwrap()[0].id, "images");
    here.destroy(&id).await.unwrap();
    assert!(seen(&*here, &id).await.is_none());
    let left = volumes(&hypervisor);
    assert!(left.contains("here.qcow2") && !left.contains("here.seed.iso"), "{left}");

    if sshd::is_there() {
        hypervisor.open_ssh().await;
        suite::run(&hypervisor).await;
        let there = driver("libvirt", &hypervisor.fields(), PATIENT);
        let id = a_machine_boots_and_heeds_the_power_button(&hypervisor, &*there, "there").await;
        there.destroy(&id).await.unwrap();
        assert!(seen(&*there, &id).await.is_none());
        let left = volumes(&hypervisor);
        assert!(!left.contains("there.qcow2") && !left.contains("there.seed.iso"), "{left}");
    }
}

#[tokio::test]
async fn the_test_driver_of_libvirt_is_read() {
    if !is_there() {
        return;
    }
    let uri = "test:///default";
    let fields = serde_json::from_value(json!({"uri": uri})).unwrap();
    let mut listed = setup("libvirt", &fields, PATIENT);
    listed.local = LocalAccess { hypervisors: vec![uri.into()], ..LocalAccess::default() };
    let driver = driver_of("libvirt", listed);
    driver.validate().await.unwrap();
    let machines = driver.machines().await.unwrap();
    assert_eq!((machines.len(), machines[0].name.as_str()), (1, "test"));
    assert_eq!((machines[0].state, machines[0].size.as_deref()), (MachineState::Running, Some("2x8192")));
    assert_eq!(driver.networks().await.unwrap()[0].subnets[0].cidr, "192.168.122.0/24");
    assert_eq!(driver.locations().await.unwrap()[0].id, "default-pool");
    driver.reboot(&machines[0].external_id).await.unwrap();
    let unknown = "00000000-0000-4000-8000-000000000000";
    assert_eq!(driver.start(unknown).await.unwrap_err().kind(), ErrorKind::NotFound);
}
