//! Tar with pax headers. Source: POSIX.1-2017, `pax`, "ustar Interchange Format" and "pax Extended Header".
//!
//! A pax header stands before an entry only if a field of it does not fit into the plain one.

use std::io::{self, Write};

use rustix::fs::{major, minor};

use super::{Format, Member};
use crate::metadata::unix_mode;
use crate::node::{Node, NodeKind};

const BLOCK: usize = 512;
const ZEROS: [u8; BLOCK] = [0; BLOCK];
/// The largest numbers that fit into fields of 7 and 11 octal digits.
const MAX_ID: u64 = 0o7_777_777;
const MAX_SIZE: u64 = 0o77_777_777_777;
const NAME: usize = 100;
const OWNER: usize = 31;

/// Writes a tar archive.
pub(super) struct Tar<'a> {
    out: &'a mut dyn Write,
    /// Bytes of content written since the last header.
    written: u64,
}

impl<'a> Tar<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, written: 0 }
    }

    fn pad(&mut self, length: u64) -> io::Result<()> {
        let over = (length % BLOCK as u64) as usize;
        if over > 0 { self.out.write_all(&ZEROS[over..]) } else { Ok(()) }
    }

    fn extended(&mut self, records: &[u8]) -> io::Result<()> {
        let mut header = Header::new(b'x');
        header.text(0, NAME, b"PaxHeaders/next");
        header.number(100, 7, 0o644);
        header.number(124, 11, records.len() as u64);
        self.out.write_all(&header.finish())?;
        self.out.write_all(records)?;
        self.pad(records.len() as u64)
    }
}

impl Format for Tar<'_> {
    fn holds(&self, kind: NodeKind) -> bool {
        !matches!(kind, NodeKind::Socket | NodeKind::Other)
    }

    fn links(&self) -> bool {
        true
    }

    fn begin(&mut self, member: &Member<'_>) -> io::Result<()> {
        let node = member.node;
        let mut path = member.path.to_vec();
        if node.kind == NodeKind::Dir {
            path.push(b'/');
        }
        let target = member.link.unwrap_or(&node.link_target);
        let records = records(node, &path, target, member.size);
        if !records.is_empty() {
            self.extended(&records)?;
        }
        let mut header = Header::new(type_flag(member));
        header.text(0, NAME, &path);
        header.number(100, 7, unix_mode(node.mode).into());
        header.number(108, 7, u64::from(node.uid).min(MAX_ID));
        header.number(116, 7, u64::from(node.gid).min(MAX_ID));
        header.number(124, 11, member.size.min(MAX_SIZE));
        header.number(136, 11, u64::try_from(node.mtime.as_second()).unwrap_or(0).min(MAX_SIZE));
        header.text(157, NAME, target);
        header.text(265, OWNER, node.user.as_bytes());
        header.text(297, OWNER, node.group.as_bytes());
        if matches!(node.kind, NodeKind::BlockDevice | NodeKind::CharDevice) {
            header.number(329, 7, u64::from(major(node.device)).min(MAX_ID));
            header.number(337, 7, u64::from(minor(node.device)).min(MAX_ID));
        }
        self.written = 0;
        self.out.write_all(&header.finish())
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn end(&mut self) -> io::Result<()> {
        self.pad(self.written)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.write_all(&ZEROS)?;
        self.out.write_all(&ZEROS)?;
        self.out.flush()
    }
}

fn type_flag(member: &Member<'_>) -> u8 {
    match member.node.kind {
        _ if member.link.is_some() => b'1',
        NodeKind::Symlink => b'2',
        NodeKind::CharDevice => b'3',
        NodeKind::BlockDevice => b'4',
        NodeKind::Dir => b'5',
        NodeKind::Fifo => b'6',
        NodeKind::File | NodeKind::Socket | NodeKind::Other => b'0',
    }
}

/// The pax records for what does not fit into the plain header.
fn records(node: &Node, path: &[u8], target: &[u8], size: u64) -> Vec<u8> {
    let mut records = Vec::new();
    let mut text = |key: &str, value: &[u8], room: usize| {
        if value.len() > room || !value.is_ascii() {
            push_record(&mut records, key.as_bytes(), value);
        }
    };
    text("path", path, NAME);
    text("linkpath", target, NAME);
    text("uname", node.user.as_bytes(), OWNER);
    text("gname", node.group.as_bytes(), OWNER);
    for (key, value, most) in
        [("size", size, MAX_SIZE), ("uid", node.uid.into(), MAX_ID), ("gid", node.gid.into(), MAX_ID)]
    {
        if value > most {
            push_record(&mut records, key.as_bytes(), value.to_string().as_bytes());
        }
    }
    let (seconds, nanoseconds) = (node.mtime.as_second(), node.mtime.subsec_nanosecond());
    if nanoseconds != 0 || !(0..=MAX_SIZE as i64).contains(&seconds) {
        let total = node.mtime.as_nanosecond();
        let (sign, whole, part) =
            (if total < 0 { "-" } else { "" }, total.abs() / 1_000_000_000, total.abs() % 1_000_000_000);
        push_record(&mut records, b"mtime", format!("{sign}{whole}.{part:09}").as_bytes());
    }
    // A record's key ends at the first `=`, so an attribute with one in its name cannot be told.
    for xattr in node.xattrs.iter().filter(|xattr| !xattr.name.contains('=')) {
        push_record(&mut records, format!("SCHILY.xattr.{}", xattr.name).as_bytes(), &xattr.value);
    }
    records
}

/// Appends `LENGTH KEY=VALUE\n`, where LENGTH counts its own digits, too.
fn push_record(records: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    records.extend_from_slice(length.to_string().as_bytes());
    for part in [b" ", key, b"=", value, b"\n"] {
        records.extend_from_slice(part);
    }
}

struct Header([u8; BLOCK]);

impl Header {
    fn new(type_flag: u8) -> Self {
        let mut header = Self([0; BLOCK]);
        header.0[156] = type_flag;
        header.0[257..265].copy_from_slice(b"ustar\x0000");
        header
    }

    /// As much of a text as there is room for.
    fn text(&mut self, at: usize, room: usize, text: &[u8]) {
        let length = text.len().min(room);
        self.0[at..at + length].copy_from_slice(&text[..length]);
    }

    /// A number in octal digits.
    fn number(&mut self, at: usize, digits: usize, number: u64) {
        let text = format!("{number:0digits$o}");
        self.0[at..at + digits].copy_from_slice(&text.as_bytes()[..digits]);
    }

    fn finish(mut self) -> [u8; BLOCK] {
        // The sum is taken with blanks in its own place.
        self.0[148..156].fill(b' ');
        let sum: u64 = self.0.iter().map(|byte| u64::from(*byte)).sum();
        self.number(148, 6, sum);
        self.0[154] = 0;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_count_their_own_digits() {
        for (value, expected) in [(1, "6 k="), (4, "9 k="), (5, "11 k="), (93, "99 k="), (94, "101 k=")] {
            let mut records = Vec::new();
            push_record(&mut records, b"k", &vec![b'v'; value]);
            assert!(
                records.starts_with(expected.as_bytes()),
                "{value}: {}",
                String::from_utf8_lossy(&records)
            );
            let length: usize = expected.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(records.len(), length);
        }
    }
}
