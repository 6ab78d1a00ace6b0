//! What a host says of itself: the script that asks, and the reader of its answer.
//!
//! The script goes to `sh` over standard input, so nothing of it passes through a quoting shell, and no argument is
//! ever made of what a user gave. The answer is one fact a line. The reader takes the host for hostile: it skips what
//! it does not understand, bounds what it keeps, and wants the first and the last line to be there, so that an answer
//! cut short is told from a poor one. Whatever a login script prints before the first line does no harm.

use std::net::IpAddr;

use roadstead_api::machine::{Disk, MachineProbe};

use crate::error::{Error, ErrorKind, Result};

/// The command that reads [`SCRIPT`].
pub(crate) const COMMAND: &str = "sh";

/// The script.
pub(crate) const SCRIPT: &str = include_str!("probe.sh");

const FIRST_LINE: &str = "roadstead-probe 1";
const LAST_LINE: &str = "end";
const MAX_LIST: usize = 256;
const MAX_TEXT_CHARS: usize = 256;

/// Reads an answer; `host` is whose it is.
pub(crate) fn parse(host: &str, answer: &[u8]) -> Result<MachineProbe> {
    let text = String::from_utf8_lossy(answer);
    let mut lines = text.lines().skip_while(|line| line.trim_end() != FIRST_LINE);
    let mut probe = MachineProbe::default();
    lines.next().ok_or_else(|| malformed(host, "does not run POSIX shell scripts"))?;
    for line in lines {
        if line.trim_end() == LAST_LINE {
            return Ok(probe);
        }
        if let Some((name, value)) = line.split_once(' ') {
            take(&mut probe, name, value.trim());
        }
    }
    Err(malformed(host, "broke off in the middle of its answer"))
}

fn malformed(host: &str, what: &str) -> Error {
    Error::new(ErrorKind::Malformed, format!("{host} {what}"))
}

fn take(probe: &mut MachineProbe, name: &str, value: &str) {
    match name {
        "hostname" => probe.hostname = text(value),
        "os" => probe.os = text(value),
        "kernel" => probe.kernel = text(value),
        "machine" => probe.architecture = text(value),
        "memory" => (probe.memory_bytes, probe.memory_available_bytes) = memory(value),
        "uptime" => probe.uptime_seconds = number(value).map(|seconds| seconds as u64),
        "load" => probe.load = load(value),
        "cores" => probe.cores = value.parse().ok().filter(|&cores| cores > 0),
        "users" => probe.users = value.parse().ok(),
        "address" if probe.addresses.len() < MAX_LIST => {
            let shown = address(value).filter(|address| !probe.addresses.contains(address));
            probe.addresses.extend(shown);
        }
        "disk" if probe.disks.len() < MAX_LIST => {
            let shown = disk(value).filter(|disk| probe.disks.iter().all(|known| known.mount != disk.mount));
            probe.disks.extend(shown);
        }
        _ => {}
    }
}

fn text(value: &str) -> Option<String> {
    let shown: String =
        value.chars().filter(|character| !character.is_control()).take(MAX_TEXT_CHARS).collect();
    (!shown.is_empty()).then_some(shown)
}

/// The first number of a line, if it is one that makes sense.
fn number(value: &str) -> Option<f64> {
    let number: f64 = value.split_whitespace().next()?.parse().ok()?;
    (number.is_finite() && (0.0..1e12).contains(&number)).then_some(number)
}

fn load(value: &str) -> Option<[f64; 3]> {
    let mut loads = value.split_whitespace().map(number);
    Some([loads.next()??, loads.next()??, loads.next()??])
}

/// The memory there is and what programs can still have of it, both given in KiB.
fn memory(value: &str) -> (Option<u64>, Option<u64>) {
    let mut sizes = value.split_whitespace().map(|size| size.parse::<u64>().ok()?.checked_mul(1024));
    (sizes.next().flatten().filter(|&bytes| bytes > 0), sizes.next().flatten())
}

/// An address as `ip` and `ifconfig` show it, with or without its prefix length and its interface.
fn address(value: &str) -> Option<IpAddr> {
    let end = value.find(['/', '%']).unwrap_or(value.len());
    let address: IpAddr = value[..end].parse().ok()?;
    let local = match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified(),
    };
    (!local).then_some(address)
}

/// A line of `df -kP`: device, three sizes in KiB, a percentage, and the mount point. Devices and mount points may have
/// blanks in them, so the percentage after three numbers is what is looked for.
fn disk(line: &str) -> Option<Disk> {
    let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
    let percent = (4..words.len()).find(|&at| {
        words[at].strip_suffix('%').is_some_and(|share| share.parse::<u32>().is_ok())
            && words[at - 3..at].iter().all(|word| word.parse::<u64>().is_ok())
    })?;
    let bytes = |at: usize| words[at].parse::<u64>().ok()?.checked_mul(1024);
    let disk = Disk {
        device: text(&words[..percent - 3].join(" "))?,
        mount: text(&words[percent + 1..].join(" "))?,
        total_bytes: bytes(percent - 3)?,
        used_bytes: bytes(percent - 2)?,
        available_bytes: bytes(percent - 1)?,
    };
    let pseudo = ["tmpfs", "devtmpfs", "udev", "none", "shm"].contains(&disk.device.as_str());
    (!pseudo && disk.total_bytes > 0).then_some(disk)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
    use roadstead_api::machine::Disk;

    use super::{MAX_LIST, parse};
    use crate::ErrorKind;

    const ANSWER: &str = "Welcome to web-1!\nroadstead-probe 1\nhostname web-1\nkernel Linux 6.1.0-26-amd64\n\
        os Debian GNU/Linux 12 (bookworm)\nuptime 93784.21 180000.00\nload 0.12 0.34 1.56 2/345 6789\ncores 8\n\
        machine x86_64\nmemory 8000000 6000000\n\
        users        3\naddress 127.0.0.1/8\naddress 203.0.113.7/24\naddress 10.0.0.7/8\naddress ::1/128\n\
        address fe80::1/64\naddress 2001:db8::7/64\naddress 10.0.0.7/8\n\
        disk Filesystem     1024-blocks    Used Available Capacity Mounted on\n\
        disk udev               4000000       0   4000000       0% /dev\n\
        disk /dev/vda1         41921540 9876543  30123456      25% /\n\
        disk /dev/mapper/my data    100      50        50      50% /srv/my data\n\
        disk /dev/vda1         41921540 9876543  30123456      25% /\nend\n";

    #[test]
    fn an_answer_is_read_to_the_last_fact() {
        let probe = parse("h", ANSWER.as_bytes()).unwrap();
        assert_eq!(probe.hostname.as_deref(), Some("web-1"));
        assert_eq!(probe.os.as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!(probe.kernel.as_deref(), Some("Linux 6.1.0-26-amd64"));
        assert_eq!(probe.uptime_seconds, Some(93784));
        assert_eq!(probe.load, Some([0.12, 0.34, 1.56]));
        assert_eq!((probe.cores, probe.users), (Some(8), Some(3)));
        assert_eq!(probe.architecture.as_deref(), Some("x86_64"));
        assert_eq!(
            probe.memory_bytes.zip(probe.memory_available_bytes),
            Some((8_192_000_000, 6_144_000_000))
        );
        let addresses: Vec<String> = probe.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["203.0.113.7", "10.0.0.7", "2001:db8::7"]);
        let mounts: Vec<&str> = probe.disks.iter().map(|disk| disk.mount.as_str()).collect();
        assert_eq!(mounts, ["/", "/srv/my data"]);
        assert_eq!(
            probe.disks[1],
            Disk {
                device: "/dev/mapper/my data".into(),
                mount: "/srv/my data".into(),
                total_bytes: 102_400,
                used_bytes: 51_200,
                available_bytes: 51_200,
            }
        );
    }

    #[test]
    fn nonsense_is_left_out() {
        let answer = "roadstead-probe 1\nuptime -5\nload 1 NaN inf\ncores 0\ncores many\nusers -1\nmemory 0 -1\naddress x\n\
            disk a b c d% /\ndisk /dev/x 18446744073709551615 1 1 1% /x\nhostname \ncolour red\nend\n";
        assert_eq!(parse("h", answer.as_bytes()).unwrap(), Default::default());
    }

    #[test]
    fn an_answer_cut_short_anywhere_is_told() {
        let whole = ANSWER.trim_end();
        for end in 0..whole.len() {
            let error = parse("h", &whole.as_bytes()[..end]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed, "cut at {end}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_fall_over(answer in prop::collection::vec(any::<u8>(), 0..2000)) {
            let _ = parse("h", &answer);
        }

        #[test]
        fn no_facts_make_it_fall_over_or_grow(lines in prop::collection::vec(
            (prop_oneof![Just("hostname"), Just("uptime"), Just("load"), Just("cores"), Just("memory"), Just("address"), Just("disk")],
             "[ -~€]{0,60}"), 0..400)) {
            let body: String = lines.iter().map(|(name, value)| format!("{name} {value}\n")).collect();
            let probe = parse("h", format!("roadstead-probe 1\n{body}end\n").as_bytes()).unwrap();
            prop_assert!(probe.addresses.len() <= MAX_LIST && probe.disks.len() <= MAX_LIST);
            prop_assert!(probe.load.is_none_or(|load| load.iter().all(|load| load.is_finite())));
        }

        #[test]
        fn facts_come_back_as_they_were(
            uptime in 0u64..1_000_000_000, cores in 1u32..4096, users in 0u32..1000,
            v4 in prop::array::uniform4(1u8..=99), total in 1u64..1 << 40, mount in "/[a-z0-9 ]{0,20}[a-z]",
        ) {
            let address = std::net::Ipv4Addr::from(v4);
            let answer = format!("roadstead-probe 1\nuptime {uptime}.07 1.0\ncores {cores}\nusers {users}\n\
                address {address}/24\ndisk /dev/sda1 {total} 1 2 3% {mount}\nend\n");
            let probe = parse("h", answer.as_bytes()).unwrap();
            prop_assert_eq!(probe.uptime_seconds, Some(uptime));
            prop_assert_eq!((probe.cores, probe.users), (Some(cores), Some(users)));
            prop_assert_eq!(probe.addresses, vec![std::net::IpAddr::V4(address)]);
            let words: Vec<&str> = mount.split_whitespace().collect();
            prop_assert_eq!((probe.disks[0].total_bytes, &probe.disks[0].mount), (total * 1024, &words.join(" ")));
        }
    }
}
