//! The project's own commands, run as `cargo xtask COMMAND`.
//!
//! They need nothing but Rust and Node; what else the tests need, `test` installs.

mod bench;
mod build;
mod command;
mod data;
mod openapi;
mod page;
mod postgres;
mod restic;
mod rustic;
mod schemathesis;
mod test;
mod tools;

use anyhow::{Result, bail};

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  up [--once] [...]           build, start a server, enrol this machine, back it up, prove a restore, and stay up;
                              --once ends after the proof. More flags: roadstead up --help
  test [--quick | --long]     everything that CI runs; --quick leaves out what is slow, --long repeats more
  test --clients              the old services' own libraries tell their stories: Mist.io's where PY27 names a Python 2.7
                              that has it, Rackspace's where RCBU_DIR names the folder that has it
  build [--release]           the page and the binary with it, in target/debug or target/release
  bench [NAME...]             measure, against the rivals where there are any: start, fleet, load, backup, rest; a name that is none of
                              them lists all; --dev or --program PATH, before the names, takes another build than the release
  openapi [--check]           write openapi.json from the declarations, or compare it with them
";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    std::env::set_current_dir(command::project_dir())?;
    match command {
        "up" => build::up(rest),
        "test" => test::run(rest),
        "build" => build::run(rest),
        "bench" => bench::run(rest),
        "openapi" => openapi::run(rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        other => bail!("there is no command {other:?}\n\n{USAGE}"),
    }
}
