//! Zip. Source: PKWARE's APPNOTE 6.3.10, sections 4.3 to 4.5.
//!
//! Everything is stored as it is. Sizes are known before a member is written, its checksum only after: it
//! follows the content, as the format allows, and stands again in the directory at the end.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::spool::Spool;
use super::{Format, Member};
use crate::metadata::unix_mode;
use crate::node::NodeKind;

/// What the 32-bit fields say where the 64-bit ones count.
const ELSEWHERE: u32 = u32::MAX;
/// Bit 3: sizes and checksum follow the content. Bit 11: names are UTF-8.
const FLAGS: u16 = 1 << 3 | 1 << 11;
/// Made on Unix, by a program that knows the 64-bit extensions.
const MADE_BY: u16 = 3 << 8 | VERSION_64;
const VERSION: u16 = 20;
const VERSION_64: u16 = 45;
/// The longest name that fits.
const MAX_NAME: usize = u16::MAX as usize;

/// Writes a zip archive.
pub(super) struct Zip<'a> {
    out: Counted<'a>,
    directory: Spool,
    members: u64,
    current: Option<Current>,
}

struct Counted<'a> {
    out: &'a mut dyn Write,
    written: u64,
}

/// The member being written.
struct Current {
    name: Vec<u8>,
    time: u32,
    modified: i64,
    mode: u32,
    is_dir: bool,
    offset: u64,
    expected: u64,
    size: u64,
    sum: Crc,
}

impl Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

impl<'a> Zip<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out: Counted { out, written: 0 }, directory: Spool::default(), members: 0, current: None }
    }
}

impl Format for Zip<'_> {
    fn holds(&self, kind: NodeKind) -> bool {
        matches!(kind, NodeKind::File | NodeKind::Dir | NodeKind::Symlink)
    }

    fn links(&self) -> bool {
        false
    }

    fn begin(&mut self, member: &Member<'_>) -> io::Result<()> {
        let node = member.node;
        let is_link = node.kind == NodeKind::Symlink;
        let kind = match node.kind {
            NodeKind::Dir => 0o040_000,
            NodeKind::Symlink => 0o120_000,
            _ => 0o100_000,
        };
        let current = Current {
            name: safe_name(member.path, node.kind == NodeKind::Dir)?,
            time: dos_time(node.mtime),
            modified: node.mtime.as_second(),
            mode: kind | unix_mode(node.mode),
            is_dir: node.kind == NodeKind::Dir,
            offset: self.out.written,
            expected: if is_link { node.link_target.len() as u64 } else { member.size },
            size: 0,
            sum: Crc::default(),
        };
        self.out.write(&current.local_header())?;
        self.current = Some(current);
        if is_link { self.content(&node.link_target) } else { Ok(()) }
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(current) = &mut self.current {
            current.size += bytes.len() as u64;
            current.sum.update(bytes);
        }
        self.out.write(bytes)
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(current) = self.current.take() else { return Ok(()) };
        if current.size != current.expected {
            return Err(io::Error::other("a file's content is not as long as was said"));
        }
        self.out.write(&current.descriptor())?;
        self.members += 1;
        self.directory.push(&current.directory_entry())
    }

    fn finish(&mut self) -> io::Result<()> {
        let (start, length) = (self.out.written, self.directory.len());
        self.directory.copy_to(self.out.out)?;
        self.out.written += length;
        self.out.write(&ending(self.members, start, length))?;
        self.out.out.flush()
    }
}

impl Current {
    fn is_large(&self) -> bool {
        self.expected >= u64::from(ELSEWHERE)
    }

    fn version(&self) -> u16 {
        if self.is_large() || self.offset >= u64::from(ELSEWHERE) { VERSION_64 } else { VERSION }
    }

    fn local_header(&self) -> Vec<u8> {
        let mut extra = self.time_extra();
        let sizes = if self.is_large() { ELSEWHERE } else { 0 };
        if self.is_large() {
            // That this is here tells that the sizes after the content have 64 bits.
            extra.extend(fields(&[&1u16.to_le_bytes(), &16u16.to_le_bytes(), &[0; 16]]));
        }
        let length = (self.name.len() as u16).to_le_bytes();
        fields(&[
            b"PK\x03\x04",
            &self.version().to_le_bytes(),
            &FLAGS.to_le_bytes(),
            &[0; 2],
            &self.time.to_le_bytes(),
            &[0; 4],
            &sizes.to_le_bytes(),
            &sizes.to_le_bytes(),
            &length,
            &(extra.len() as u16).to_le_bytes(),
            &self.name,
            &extra,
        ])
    }

    fn descriptor(&self) -> Vec<u8> {
        let sum = self.sum.finish().to_le_bytes();
        let size = self.size.to_le_bytes();
        let size = if self.is_large() { &size[..] } else { &size[..4] };
        fields(&[b"PK\x07\x08", &sum, size, size])
    }

    fn directory_entry(&self) -> Vec<u8> {
        let (mut extra, mut large) = (self.time_extra(), Vec::new());
        let size = if self.is_large() { ELSEWHERE } else { self.size as u32 };
        if self.is_large() {
            large.extend(fields(&[&self.size.to_le_bytes(), &self.size.to_le_bytes()]));
        }
        let offset = u32::try_from(self.offset).unwrap_or(ELSEWHERE);
        if offset == ELSEWHERE {
            large.extend(self.offset.to_le_bytes());
        }
        if !large.is_empty() {
            extra.extend(fields(&[&1u16.to_le_bytes(), &(large.len() as u16).to_le_bytes(), &large]));
        }
        // The low half is for DOS, where only this bit matters: a folder.
        let attributes = self.mode << 16 | u32::from(self.is_dir) << 4;
        fields(&[
            b"PK\x01\x02",
            &MADE_BY.to_le_bytes(),
            &self.version().to_le_bytes(),
            &FLAGS.to_le_bytes(),
            &[0; 2],
            &self.time.to_le_bytes(),
            &self.sum.finish().to_le_bytes(),
            &size.to_le_bytes(),
            &size.to_le_bytes(),
            &(self.name.len() as u16).to_le_bytes(),
            &(extra.len() as u16).to_le_bytes(),
            &[0; 6],
            &attributes.to_le_bytes(),
            &offset.to_le_bytes(),
            &self.name,
            &extra,
        ])
    }

    /// The time in UTC, which the field for DOS cannot tell.
    fn time_extra(&self) -> Vec<u8> {
        let Ok(seconds) = i32::try_from(self.modified) else { return Vec::new() };
        fields(&[b"UT", &5u16.to_le_bytes(), &[1], &seconds.to_le_bytes()])
    }
}

/// What stands behind the directory, and tells where it is.
fn ending(members: u64, start: u64, length: u64) -> Vec<u8> {
    let mut ending = Vec::new();
    let all = u64::from(ELSEWHERE);
    let large = members >= u64::from(u16::MAX) || start >= all || length >= all;
    if large {
        let [members, start, length, here] = [members, start, length, start + length].map(u64::to_le_bytes);
        let (version, disks) = (VERSION_64.to_le_bytes(), [0; 8]);
        ending.extend(fields(&[
            b"PK\x06\x06",
            &44u64.to_le_bytes(),
            &MADE_BY.to_le_bytes(),
            &version,
            &disks,
        ]));
        ending.extend(fields(&[&members, &members, &length, &start]));
        ending.extend(fields(&[b"PK\x06\x07", &[0; 4], &here, &1u32.to_le_bytes()]));
    }
    let members = u16::try_from(members).unwrap_or(u16::MAX).to_le_bytes();
    let [start, length] =
        [start, length].map(|number| u32::try_from(number).unwrap_or(ELSEWHERE).to_le_bytes());
    ending.extend(fields(&[b"PK\x05\x06", &[0; 4], &members, &members, &length, &start, &[0; 2]]));
    ending
}

fn fields(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A name that means the same to every program: UTF-8, and nothing in it that some take for a separator, a
/// drive or an end. What is not so stands as `%` and two hexadecimal digits.
fn safe_name(path: &[u8], is_dir: bool) -> io::Result<Vec<u8>> {
    let mut name = String::with_capacity(path.len() + 1);
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' | ':' => name.push_str(&format!("%{:02X}", c as u32)),
                c if c.is_ascii_control() => name.push_str(&format!("%{:02X}", c as u32)),
                c => name.push(c),
            }
        }
        chunk.invalid().iter().for_each(|byte| name.push_str(&format!("%{byte:02X}")));
    }
    if is_dir {
        name.push('/');
    }
    match name.len() {
        0..=MAX_NAME => Ok(name.into_bytes()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidFilename, "a path is too long for a zip archive")),
    }
}

/// Date and time to two seconds, in UTC, within the years that the format knows.
fn dos_time(time: Timestamp) -> u32 {
    let local = time.to_zoned(TimeZone::UTC).datetime();
    let year = local.year();
    if year < 1980 {
        return 1 << 21 | 1 << 16;
    }
    let date = (u32::from(year.min(2107).unsigned_abs()) - 1980) << 9
        | u32::from(local.month().unsigned_abs()) << 5
        | u32::from(local.day().unsigned_abs());
    let time = (u32::from(local.hour().unsigned_abs()) << 11)
        | (u32::from(local.minute().unsigned_abs()) << 5)
        | (u32::from(local.second().unsigned_abs()) / 2);
    date << 16 | time
}

/// The checksum of the format: CRC-32 with the polynomial 0xEDB88320, reflected.
struct Crc(u32);

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let (mut value, mut bit) = (i as u32, 0);
        while bit < 8 {
            value = if value & 1 == 1 { value >> 1 ^ 0xedb8_8320 } else { value >> 1 };
            bit += 1;
        }
        table[i] = value;
        i += 1;
    }
    table
}

impl Default for Crc {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Crc {
    fn update(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |sum, byte| TABLE[usize::from(sum as u8 ^ byte)] ^ sum >> 8);
    }

    fn finish(&self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_members_than_the_old_format_counts() {
        let node =
            crate::tree::decode(br#"{"nodes":[{"name":"a","type":"file","mtime":"2020-01-01T00:00:00Z"}]}"#);
        let (node, mut out) = (node.unwrap().remove(0), Vec::new());
        let mut zip = Zip::new(&mut out);
        for number in 0..70_000 {
            let path = format!("{number}").into_bytes();
            zip.begin(&Member { path: &path, node: &node, size: 0, link: None }).unwrap();
            zip.end().unwrap();
        }
        zip.finish().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("many.zip");
        std::fs::write(&path, &out).unwrap();
        let Ok(output) = std::process::Command::new("unzip").arg("-Z1").arg(&path).output() else {
            assert!(std::env::var_os("CI").is_none(), "no unzip to test with");
            return;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 70_000);
    }

    #[test]
    fn the_checksum_is_the_usual_one() {
        let mut sum = Crc::default();
        sum.update(b"1234");
        sum.update(b"56789");
        assert_eq!((sum.finish(), Crc::default().finish()), (0xcbf4_3926, 0));
    }

    #[test]
    fn times_fit_into_the_years_there_are() {
        let time = |text: &str| dos_time(text.parse().unwrap());
        assert_eq!(time("1970-01-01T00:00:00Z"), 0x0021_0000);
        assert_eq!(time("2024-06-05T12:34:57Z"), (44 << 9 | 6 << 5 | 5) << 16 | 12 << 11 | 34 << 5 | 28);
        assert_eq!(time("9999-01-01T00:00:00Z") >> 25, 127);
    }

    #[test]
    fn names_mean_the_same_everywhere() {
        let safe = |name: &[u8]| String::from_utf8(safe_name(name, false).unwrap()).unwrap();
        assert_eq!(safe("a/ü.txt".as_bytes()), "a/ü.txt");
        assert_eq!(safe(b"..\\..\\c:x\n\xff"), "..%5C..%5Cc%3Ax%0A%FF");
        assert!(safe_name(&[b'a'; MAX_NAME], true).is_err());
    }
}
