//! Measures how busy the machine is, from `/proc` (<https://docs.kernel.org/filesystems/proc.html>).
//!
//! Counters only say something by how they differ from the last time, so a meter is made before it is first read.
//! What cannot be learnt counts as 0: no measure is worth a failure.

use std::{collections::BTreeSet, fs};

use roadstead_api::metric::Sample;
use tokio::time::Instant;

/// What a sector of `/proc/diskstats` is, whatever the disk has, in bytes.
const SECTOR: u64 = 512;
/// Interfaces whose traffic passes another one, too, or no line at all.
const INNER_INTERFACES: [&str; 6] = ["lo", "veth", "docker", "br-", "virbr", "dummy"];

/// A meter, which knows what the counters were.
#[derive(Debug)]
pub(crate) struct Meter {
    at: Instant,
    counters: Counters,
}

/// What only ever grows, until the machine starts anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counters {
    cpu_busy: u64,
    cpu_all: u64,
    disk_read: u64,
    disk_written: u64,
    received: u64,
    sent: u64,
}

impl Meter {
    /// A meter that begins now.
    pub fn new() -> Self {
        Self { at: Instant::now(), counters: Counters::read() }
    }

    /// What was measured since the meter was made or last read.
    pub fn read(&mut self) -> Sample {
        let now = Self::new();
        let seconds = (now.at - self.at).as_secs_f64().max(0.001);
        let since = std::mem::replace(self, now).counters;
        let now = &self.counters;
        let rate = |now: u64, since: u64| now.saturating_sub(since) as f64 / seconds;
        let all = now.cpu_all.saturating_sub(since.cpu_all).max(1);
        let busy = now.cpu_busy.saturating_sub(since.cpu_busy).min(all);
        let (memory_used_bytes, memory_total_bytes) = memory(&text("/proc/meminfo"));
        let (disk_used_bytes, disk_total_bytes) = disk();
        Sample {
            load: first_number(&text("/proc/loadavg")),
            cpu_percent: busy as f64 * 100.0 / all as f64,
            memory_used_bytes,
            memory_total_bytes,
            disk_used_bytes,
            disk_total_bytes,
            disk_read_bytes_per_second: rate(now.disk_read, since.disk_read),
            disk_written_bytes_per_second: rate(now.disk_written, since.disk_written),
            network_received_bytes_per_second: rate(now.received, since.received),
            network_sent_bytes_per_second: rate(now.sent, since.sent),
        }
    }
}

impl Counters {
    fn read() -> Self {
        let disks = fs::read_dir("/sys/block").into_iter().flatten().flatten();
        let disks = disks.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        Self::of(&text("/proc/stat"), &text("/proc/diskstats"), &disks, &text("/proc/net/dev"))
    }

    fn of(stat: &str, diskstats: &str, disks: &BTreeSet<String>, net_dev: &str) -> Self {
        let (cpu_busy, cpu_all) = cpu(stat);
        let (disk_read, disk_written) = disk_traffic(diskstats, disks);
        let (received, sent) = network_traffic(net_dev);
        Self { cpu_busy, cpu_all, disk_read, disk_written, received, sent }
    }
}

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn first_number(text: &str) -> f64 {
    let number = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    number.filter(|number| number.is_finite() && *number >= 0.0).unwrap_or(0.0)
}

/// Time at work and all time, of all processors. The fourth and fifth number are idle and waiting; from the ninth on,
/// guests are counted that the first two hold already.
fn cpu(stat: &str) -> (u64, u64) {
    let Some(line) = stat.lines().find_map(|line| line.strip_prefix("cpu ")) else { return (0, 0) };
    let times: Vec<u64> = line.split_whitespace().take(8).map(|word| word.parse().unwrap_or(0)).collect();
    let all = times.iter().fold(0, |sum: u64, &time| sum.saturating_add(time));
    let idle = times.iter().skip(3).take(2).fold(0, |sum: u64, &time| sum.saturating_add(time));
    (all.saturating_sub(idle), all)
}

/// Memory that programs cannot have, and all there is.
fn memory(meminfo: &str) -> (f64, f64) {
    let kib = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map_or(0.0, first_number)
    };
    let total = kib("MemTotal") * 1024.0;
    ((total - kib("MemAvailable") * 1024.0).max(0.0), total)
}

fn disk() -> (f64, f64) {
    rustix::fs::statvfs("/").map_or((0.0, 0.0), |found| {
        let bytes = |blocks: u64| blocks as f64 * found.f_frsize as f64;
        (bytes(found.f_blocks.saturating_sub(found.f_bfree)), bytes(found.f_blocks))
    })
}

/// What whole disks have read and written, in bytes. Partitions and what is built of disks would count twice.
fn disk_traffic(diskstats: &str, disks: &BTreeSet<String>) -> (u64, u64) {
    let inner = ["loop", "ram", "dm-", "md", "zram"];
    let (mut read, mut written) = (0u64, 0u64);
    for line in diskstats.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (Some(name), Some(sectors_read), Some(sectors_written)) =
            (words.get(2), words.get(5), words.get(9))
        else {
            continue;
        };
        if !disks.contains(*name) || inner.iter().any(|inner| name.starts_with(inner)) {
            continue;
        }
        let bytes = |sectors: &str| sectors.parse().unwrap_or(0u64).saturating_mul(SECTOR);
        read = read.saturating_add(bytes(sectors_read));
        written = written.saturating_add(bytes(sectors_written));
    }
    (read, written)
}

/// What has come in and gone out, in bytes.
fn network_traffic(net_dev: &str) -> (u64, u64) {
    let (mut received, mut sent) = (0u64, 0u64);
    for line in net_dev.lines() {
        let Some((name, counters)) = line.split_once(':') else { continue };
        if INNER_INTERFACES.iter().any(|inner| name.trim().starts_with(inner)) {
            continue;
        }
        let counters: Vec<u64> = counters.split_whitespace().map(|word| word.parse().unwrap_or(0)).collect();
        received = received.saturating_add(counters.first().copied().unwrap_or(0));
        sent = sent.saturating_add(counters.get(8).copied().unwrap_or(0));
    }
    (received, sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_and_nothing_is_counted_twice() {
        let stat = "cpu  100 10 40 800 50 0 5 0 20 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        let diskstats = "   8       0 sda 10 0 100 5 20 0 200 6 0 0 0\n   8       1 sda1 10 0 100 5 20 0 200 6 0 0 0\n\
                         253 0 dm-0 10 0 100 5 20 0 200 6 0 0 0\nshort line\n";
        let net = "Inter-|   Receive\n face |bytes\n    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0\n\
                   eth0: 1000 5 0 0 0 0 0 0 2000 6 0 0 0 0 0 0\n veth1: 7 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n";
        let disks = ["sda".to_owned(), "dm-0".to_owned()].into();
        let expected = Counters {
            cpu_busy: 155,
            cpu_all: 1005,
            disk_read: 51_200,
            disk_written: 102_400,
            received: 1000,
            sent: 2000,
        };
        assert_eq!(Counters::of(stat, diskstats, &disks, net), expected);
        assert_eq!(Counters::of("", "", &disks, ""), Counters::default());
    }

    #[test]
    fn memory_is_what_programs_cannot_have() {
        let text = "MemTotal:       8000 kB\nMemFree:        1000 kB\nMemAvailable:   6000 kB\n";
        assert_eq!(memory(text), (2_048_000.0, 8_192_000.0));
        assert_eq!(memory("nonsense"), (0.0, 0.0));
    }

    #[test]
    fn this_machine_is_measured() {
        let mut meter = Meter::new();
        let sample = meter.read();
        assert!((0.0..=100.0).contains(&sample.cpu_percent), "{sample:?}");
        assert!(sample.memory_total_bytes > sample.memory_used_bytes, "{sample:?}");
        assert!(sample.disk_total_bytes > 0.0, "{sample:?}");
        assert!(sample.numbers().iter().all(|number| number.is_finite() && *number >= 0.0), "{sample:?}");
    }
}
