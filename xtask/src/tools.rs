//! What the tests need beside Rust, installed when it is not there.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::command::{cargo, run, target_dir, works};

/// The cargo-deny that the tests were last seen to pass with.
const CARGO_DENY: &str = "0.20.2";
/// The same of moto.
const MOTO: &str = "moto[server]==5.2.5";
/// The Apache Libcloud that benchmarks compare with.
const LIBCLOUD: &str = "apache-libcloud==3.9.1";

/// The schemathesis that requests were last made up by.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// What Rackspace's backup library imports.
const RCBU_NEEDS: [&str; 4] =
    ["pycryptodome==4.4.0", "python-dateutil==4.0.0", "requests==2.34.2", "six==1.17.0"];

/// Installs Debian packages.
pub fn apt_install(packages: &[&str]) -> Result<()> {
    if !works("apt-get", "--version") {
        bail!("the tests need {}; install them and try again", packages.join(", "));
    }
    println!("installing {}", packages.join(", "));
    let apt = || {
        let mut command = Command::new("apt-get");
        command.args(["-qq", "-o", "DPkg::Lock::Timeout=600"]).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    run(apt().arg("update"))?;
    run(apt().args(["install", "--yes", "--no-install-recommends"]).args(packages))
}

/// Installs the Debian packages whose programs are not there.
pub fn apt_programs(programs: &[(&str, &str, &str)]) -> Result<()> {
    let missing: Vec<&str> = programs
        .iter()
        .filter(|(program, flag, _)| !works(program, flag))
        .map(|(_, _, package)| *package)
        .collect();
    if missing.is_empty() { Ok(()) } else { apt_install(&missing) }
}

/// Daemons that tests start by themselves, each with the packages that have it.
const DAEMONS: [(&str, &[&str]); 3] = [
    ("/usr/sbin/sshd", &["openssh-server"]),
    ("/usr/sbin/dockerd", &["docker.io", "busybox-static"]),
    ("/usr/sbin/libvirtd", &["libvirt-daemon", "libvirt-daemon-driver-qemu", "libvirt-clients"]),
];

/// Installs the daemons that tests start by themselves, and sees to it that the packages start none.
///
/// Where systemd rules, the packages would also start them from the next boot on, and open the machine to logins. That
/// is not for a test to do: there the tests that need them are skipped, or fail in CI.
pub fn daemons() -> Result<()> {
    let missing = DAEMONS.iter().filter(|(program, _)| !Path::new(program).exists());
    let packages: Vec<&str> = missing.flat_map(|(_, packages)| packages.iter().copied()).collect();
    if packages.is_empty() {
        return Ok(());
    }
    if Path::new("/run/systemd/system").exists() {
        let names = packages.join(", ");
        println!("not installed, since they would run on this machine from then on: {names}");
        return Ok(());
    }
    without_services(|| apt_install(&packages))
}

/// Installs QEMU's emulator of PCs with the tools that fit it.
///
/// Where a newer version of the tools was installed from backports, the emulator cannot be installed beside it: both are
/// brought to the version that Debian has of the emulator.
pub fn qemu() -> Result<()> {
    if works("qemu-system-x86_64", "--version") && works("qemu-img", "--version") {
        return Ok(());
    }
    if !works("apt-cache", "--version") {
        bail!("the tests need qemu-system-x86 and qemu-utils; install them and try again");
    }
    run(Command::new("apt-get").args(["-qq", "-o", "DPkg::Lock::Timeout=600", "update"]))?;
    let policy = Command::new("apt-cache").args(["policy", "qemu-system-x86"]).env("LC_ALL", "C").output()?;
    let policy = String::from_utf8(policy.stdout)?;
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "));
    let version = version.context("Debian has no qemu-system-x86 here")?;
    let packages =
        ["qemu-system-x86", "qemu-system-common", "qemu-utils"].map(|name| format!("{name}={version}"));
    run(Command::new("apt-get")
        .args(["-qq", "-o", "DPkg::Lock::Timeout=600", "install", "--yes", "--no-install-recommends"])
        .arg("--allow-downgrades")
        .args(&packages)
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Installs with Debian's own switch for "start nothing" on, unless somebody has set it already.
fn without_services(install: impl FnOnce() -> Result<()>) -> Result<()> {
    let policy = Path::new("/usr/sbin/policy-rc.d");
    if policy.exists() {
        return install();
    }
    fs::write(policy, "#!/bin/sh\nexit 101\n").context("cannot tell Debian to start no services")?;
    fs::set_permissions(policy, fs::Permissions::from_mode(0o755))?;
    let installed = install();
    fs::remove_file(policy)?;
    installed
}

/// Installs moto, which stands in for Amazon's services, in a folder of its own; gives its program.
pub fn moto() -> Result<PathBuf> {
    let folder = target_dir().join("tools/moto");
    let program = folder.join("bin/moto_server");
    if !works(&program, "--help") {
        python_packages(&folder, &[MOTO])?;
    }
    Ok(program)
}

/// Installs Apache Libcloud, which benchmarks compare with, in a folder of its own; gives a Python that has it.
pub fn libcloud() -> Result<PathBuf> {
    let folder = target_dir().join("tools/libcloud");
    let python = folder.join("bin/python");
    if !works(&python, "-cimport libcloud") {
        python_packages(&folder, &[LIBCLOUD])?;
    }
    Ok(python)
}

/// Installs schemathesis, which makes up requests from openapi.json, in a folder of its own; gives its program.
pub fn schemathesis() -> Result<PathBuf> {
    let folder = target_dir().join("tools/schemathesis");
    let program = folder.join("bin/schemathesis");
    if !works(&program, "--version") {
        python_packages(&folder, &[SCHEMATHESIS])?;
    }
    Ok(program)
}

/// Installs what Rackspace's backup library needs, in a folder of its own; gives a Python that has it.
pub fn rcbu_python() -> Result<PathBuf> {
    let folder = target_dir().join("tools/rcbu");
    let python = folder.join("bin/python");
    if !works(&python, "-cimport Crypto, dateutil, requests, six") {
        python_packages(&folder, &RCBU_NEEDS)?;
    }
    Ok(python)
}

/// Installs packages of Python's in a folder of their own.
fn python_packages(folder: &Path, packages: &[&str]) -> Result<()> {
    if !works("python3", "--version") || !works("python3", "-cimport ensurepip") {
        apt_install(&["python3", "python3-venv"])?;
    }
    let _ = fs::remove_dir_all(folder);
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin/pip"));
    run(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages))
}

/// Installs cargo-deny.
pub fn cargo_deny() -> Result<()> {
    if works("cargo-deny", "--version") {
        return Ok(());
    }
    run(&mut cargo(&["install", "--locked", "cargo-deny", "--version", CARGO_DENY]))
}
