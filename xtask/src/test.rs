//! `test`: everything that CI runs.

use std::{
    ffi::OsStr,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    command::{cargo, run as run_command},
    openapi, page,
    postgres::Cluster,
    restic, rustic, schemathesis, tools,
};

/// How much is run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// The loop for developers: no lints, no documentation, no licences.
    Quick,
    /// What CI runs.
    Usual,
    /// More rounds, in the tests that ask for them.
    Long,
}

/// `cargo xtask test [--quick | --long]`.
pub fn run(arguments: &[String]) -> Result<()> {
    if arguments == ["--clients"] {
        return clients();
    }
    let extent = match arguments {
        [] => Extent::Usual,
        [flag] if flag == "--quick" => Extent::Quick,
        [flag] if flag == "--long" => Extent::Long,
        _ => bail!("test takes --quick, --long or --clients, or nothing"),
    };
    let begun = Instant::now();
    let mut steps = Steps(Vec::new());
    let restics = steps.take("tools", || install(extent))?;
    let mut page = false;
    if extent != Extent::Quick {
        // Before anything is compiled, so that the binary is, once, with the page in it.
        page = steps.take("page", page::build)?;
        steps.take("format", || run_command(&mut cargo(&["fmt", "--all", "--check"])))?;
        steps.take("openapi", || openapi::run(&["--check".to_owned()]))?;
        steps.take("licences", || run_command(&mut cargo(&["deny", "check", "licenses", "bans"])))?;
        let clippy = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
        steps.take("clippy", || run_command(&mut cargo(&clippy)))?;
        let mut doc = cargo(&["doc", "--locked", "--workspace", "--no-deps", "--document-private-items"]);
        steps.take("doc", || run_command(doc.env("RUSTDOCFLAGS", "-D warnings")))?;
    }
    let cluster = steps.take("postgres", Cluster::start)?;
    let mut test = cargo(&["test", "--locked", "--workspace", "--no-fail-fast"]);
    test.env("ROADSTEAD_RESTIC", &restics).env("ROADSTEAD_TEST_POSTGRES", &cluster.url);
    let moto = tools::moto()?;
    test.env("ROADSTEAD_MOTO", &moto);
    if extent == Extent::Long {
        test.env("ROADSTEAD_LONG", "1").env("ROADSTEAD_RUSTIC", steps.take("rustic", rustic::program)?);
        // What is tried on parsers: a hundred times as much.
        test.env("PROPTEST_CASES", "25600");
    }
    steps.take("test", || run_command(&mut test))?;
    if extent != Extent::Quick {
        steps.take("made up", schemathesis::try_all)?;
    }
    if page {
        steps.take("browser", page::test)?;
    }
    if extent != Extent::Quick {
        // The same once more, with every server on PostgreSQL, which is stopped in the middle at last.
        let mut e2e = end_to_end(&cluster, &restics, &moto, &[]);
        steps.take("e2e on pg", || run_command(&mut e2e))?;
        let mut outage = end_to_end(&cluster, &restics, &moto, &["outage::"]);
        outage.env("ROADSTEAD_TEST_POSTGRES_DATA", cluster.data()).env("PATH", cluster.path()?);
        steps.take("outage", || run_command(&mut outage))?;
    }
    steps.print(begun.elapsed());
    Ok(())
}

/// Old clients as they are, those that are named; what they ask is replayed in the usual tests.
fn clients() -> Result<()> {
    let (mist, rcbu) = (std::env::var_os("PY27"), std::env::var_os("RCBU_DIR"));
    let mut test = cargo(&["test", "--locked", "--workspace", "--test", "e2e", "--", "clients::"]);
    if mist.is_none() && rcbu.is_none() {
        bail!(
            "PY27 has to name a Python 2.7 that has mist 1.2.1, requests 2.10 and prettytable, or RCBU_DIR the folder \
             that has rcbu 0.19.3 (`deprecated` in its repository)"
        );
    }
    if let Some(python) = mist {
        run_command(Command::new(&python).args(["-c", "import mistclient"]))?;
        tools::daemons()?;
        test.env("ROADSTEAD_PY27", python).env("ROADSTEAD_MOTO", tools::moto()?);
    }
    if let Some(folder) = rcbu {
        let python = tools::rcbu_python()?;
        let folder = Path::new(&folder).canonicalize().context("RCBU_DIR is no folder")?;
        run_command(
            Command::new(&python).args(["-c", "import rcbu.client.client"]).env("PYTHONPATH", &folder),
        )?;
        test.env("ROADSTEAD_RCBU", folder).env("ROADSTEAD_RCBU_PYTHON", python);
    }
    run_command(&mut test)
}

/// The end-to-end tests of these names with every server on PostgreSQL. The whole workspace is named so that nothing is
/// built anew.
fn end_to_end(cluster: &Cluster, restics: &OsStr, moto: &Path, names: &[&str]) -> Command {
    let mut test = cargo(&["test", "--locked", "--workspace", "--test", "e2e", "--"]);
    test.args(names)
        .env("ROADSTEAD_TEST_DATABASE", &cluster.url)
        .env("ROADSTEAD_RESTIC", restics)
        .env("ROADSTEAD_MOTO", moto);
    test
}

/// Installs what the tests need, and returns the restics for `ROADSTEAD_RESTIC`.
fn install(extent: Extent) -> Result<std::ffi::OsString> {
    tools::apt_programs(&[
        ("setfacl", "--version", "acl"),
        ("setfattr", "--version", "attr"),
        ("setpriv", "--version", "util-linux"),
        ("unzip", "-v", "unzip"),
        ("curl", "--version", "curl"),
        ("strip", "--version", "binutils"),
        ("isoinfo", "-version", "genisoimage"),
        ("systemd-analyze", "--version", "systemd"),
    ])?;
    tools::daemons()?;
    tools::qemu()?;
    if extent != Extent::Quick {
        tools::cargo_deny()?;
    }
    let restics = restic::all()?;
    for restic in &restics {
        run_command(Command::new(restic).arg("version"))?;
    }
    std::env::join_paths(restics).context("a path of restic has a colon in it")
}

/// The steps of a run, and how long each took.
struct Steps(Vec<(&'static str, Duration)>);

impl Steps {
    fn take<T>(&mut self, name: &'static str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("== {name}");
        let begun = Instant::now();
        let result = step().with_context(|| format!("the step `{name}` failed"));
        self.0.push((name, begun.elapsed()));
        result
    }

    fn print(&self, whole: Duration) {
        println!("== all steps passed in {} s", whole.as_secs());
        for (name, took) in &self.0 {
            println!("{name:>10} {:>5} s", took.as_secs());
        }
    }
}
