//! How much memory work on many files takes: measured in a process that does nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::trees::noise;
use support::{backup, check, init, latest, long, open, restore, temporary};

const CHILD: &str = "VAULT_TEST_MEMORY";

/// What a child does, and prints the most memory it ever had, in MiB.
fn child(order: &str) {
    let (work, folder) = order.split_once(' ').unwrap();
    let folder = Path::new(folder);
    let repository = open(&folder.join("vault"));
    match work {
        "backup" => drop(backup(&repository, &[&folder.join("source")])),
        "restore" => drop(restore(&repository, &latest(&repository), &folder.join("target"))),
        _ => assert_eq!(check(&repository).problems, []),
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.trim().strip_suffix("kB").unwrap().trim().parse().unwrap();
    eprintln!("peak {}", kilobytes >> 10);
}

#[test]
fn memory_stays_bounded_with_many_files_and_large_ones() {
    if let Ok(order) = std::env::var(CHILD) {
        return child(&order);
    }
    let folder = temporary();
    let source = folder.path().join("source");
    // The bounds that were promised: 128 MiB, and 350 where there are a million files.
    let (files, bound) = (long(20_000, 1_000_000), long(128, 350));
    for number in 0..files {
        let within = source.join(format!("{:04}", number / 500));
        if number % 500 == 0 {
            fs::create_dir_all(&within).unwrap();
        }
        fs::write(within.join(number.to_string()), format!("file {number}")).unwrap();
    }
    let large = noise(1, 48 << 20);
    for number in 0..4 {
        // Each is its own: nothing of it is known from the others.
        let shifted: Vec<u8> = large.iter().map(|byte| byte.wrapping_mul(2 * number + 1)).collect();
        fs::write(source.join(format!("large-{number}")), shifted).unwrap();
    }
    init(&folder.path().join("vault"));
    for work in ["backup", "backup", "restore", "check"] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "memory_stays_bounded_with_many_files_and_large_ones", "--nocapture"]);
        command.env(CHILD, format!("{work} {}", folder.path().display()));
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{work}: {said}");
        let peak: u64 = said.lines().find_map(|line| line.strip_prefix("peak ")).unwrap().parse().unwrap();
        eprintln!("{work}: {peak} MiB");
        assert!((8..=bound).contains(&peak), "{work} of {files} files took {peak} MiB");
    }
}
