//! A small ISO 9660 image of a few files in its root, with their real names in Joliet: what cloud-init looks for.
//!
//! Source: ECMA-119 (sectors of 2,048 bytes; both-endian numbers; volume descriptors from sector 16 on) and the Joliet
//! specification (a supplementary descriptor with escape sequence `%/E`, names in UCS-2, big-endian). The plain names
//! are `FILE0.;1` and so on; whoever reads Joliet, as Linux does, sees those that were given. Times are left at zero, so
//! the same files make the same image.

const SECTOR: usize = 2048;
const FIRST_DESCRIPTOR: usize = 16;
/// Descriptors: primary, Joliet, terminator. Then for each tree its two path tables and its root.
const TABLES: usize = FIRST_DESCRIPTOR + 3;
const FILES: usize = TABLES + 6;

/// One of the two trees.
#[derive(Clone, Copy)]
struct Tree {
    /// Of its path table, little-endian; the big-endian one follows.
    table: usize,
    root: usize,
    joliet: bool,
}

const PLAIN: Tree = Tree { table: TABLES, root: TABLES + 2, joliet: false };
const JOLIET: Tree = Tree { table: TABLES + 3, root: TABLES + 5, joliet: true };

/// The image. Labels are up to 16 capitals, digits and underscores; names are short ASCII, and all fit one sector.
pub(super) fn image(label: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut starts = Vec::with_capacity(files.len());
    let mut next = FILES;
    for (_, content) in files {
        starts.push(next);
        next += content.len().div_ceil(SECTOR).max(1);
    }
    let mut out = vec![0; next * SECTOR];
    for (tree, at) in [(PLAIN, FIRST_DESCRIPTOR), (JOLIET, FIRST_DESCRIPTOR + 1)] {
        put(&mut out, at, 0, &descriptor(label, next, tree));
        put(&mut out, tree.table, 0, &path_table(tree.root, u32::to_le_bytes, u16::to_le_bytes));
        put(&mut out, tree.table + 1, 0, &path_table(tree.root, u32::to_be_bytes, u16::to_be_bytes));
        put(&mut out, tree.root, 0, &directory(tree, files, &starts));
    }
    put(&mut out, FIRST_DESCRIPTOR + 2, 0, b"\xffCD001\x01");
    for ((_, content), start) in files.iter().zip(starts) {
        put(&mut out, start, 0, content);
    }
    out
}

fn put(out: &mut [u8], sector: usize, offset: usize, bytes: &[u8]) {
    let begin = sector * SECTOR + offset;
    if let Some(place) = out.get_mut(begin..begin + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

fn both_u32(value: usize) -> [u8; 8] {
    let value = u32::try_from(value).unwrap_or(u32::MAX);
    let mut out = [0; 8];
    out[..4].copy_from_slice(&value.to_le_bytes());
    out[4..].copy_from_slice(&value.to_be_bytes());
    out
}

fn both_u16(value: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (value.to_le_bytes(), value.to_be_bytes());
    [a, b, c, d]
}

/// A name as the tree has it: bytes, or two bytes a character.
fn spelled(tree: Tree, name: &str) -> Vec<u8> {
    match tree.joliet {
        true => name.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        false => name.as_bytes().to_vec(),
    }
}

fn descriptor(label: &str, sectors: usize, tree: Tree) -> Vec<u8> {
    let mut out = vec![0; SECTOR];
    let mut set = |offset: usize, bytes: &[u8]| out[offset..offset + bytes.len()].copy_from_slice(bytes);
    // Texts are filled up with blanks, of one byte or of two.
    let blanks = |length: usize| if tree.joliet { b"\0 ".repeat(length / 2) } else { vec![b' '; length] };
    set(0, if tree.joliet { b"\x02CD001\x01" } else { b"\x01CD001\x01" });
    set(8, &blanks(32));
    set(40, &blanks(32));
    let label = spelled(tree, label);
    set(40, &label[..label.len().min(32)]);
    set(80, &both_u32(sectors));
    if tree.joliet {
        set(88, b"%/E");
    }
    set(120, &both_u16(1));
    set(124, &both_u16(1));
    set(128, &both_u16(SECTOR as u16));
    set(132, &both_u32(10));
    set(140, &(tree.table as u32).to_le_bytes());
    set(148, &(tree.table as u32 + 1).to_be_bytes());
    set(156, &record(&[0], tree.root, SECTOR, true));
    for (offset, length) in [(190, 128), (318, 128), (446, 128), (574, 128), (702, 36), (739, 36), (776, 36)]
    {
        set(offset, &blanks(length));
    }
    // "Not specified": sixteen zeros as digits, and no time zone.
    for offset in [813, 830, 847, 864] {
        set(offset, b"0000000000000000\0");
    }
    set(881, &[1]);
    out
}

/// The path table's only entry, the root: a name of one byte, no extended attributes, where it is, its own parent.
fn path_table(root: usize, four: fn(u32) -> [u8; 4], two: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mut out = vec![1, 0];
    out.extend(four(root as u32));
    out.extend(two(1));
    out.extend([0, 0]);
    out
}

fn directory(tree: Tree, files: &[(&str, &[u8])], starts: &[usize]) -> Vec<u8> {
    let mut out = record(&[0], tree.root, SECTOR, true);
    out.extend(record(&[1], tree.root, SECTOR, true));
    let mut entries: Vec<(Vec<u8>, usize, usize)> = Vec::new();
    for (number, ((name, content), start)) in files.iter().zip(starts).enumerate() {
        // Joliet's names need no version; with one, some readers find a file only by name and version.
        let name = if tree.joliet { (*name).to_owned() } else { format!("FILE{number}.;1") };
        entries.push((spelled(tree, &name), *start, content.len()));
    }
    // A directory is in the order of its names.
    entries.sort();
    for (name, start, length) in entries {
        out.extend(record(&name, start, length, false));
    }
    out
}

fn record(name: &[u8], start: usize, length: usize, directory: bool) -> Vec<u8> {
    let padded = 33 + name.len() + (name.len() + 1) % 2;
    let mut out = vec![padded as u8, 0];
    out.extend(both_u32(start));
    out.extend(both_u32(length));
    out.extend([0; 7]);
    out.push(if directory { 2 } else { 0 });
    out.extend([0, 0]);
    out.extend(both_u16(1));
    out.push(name.len() as u8);
    out.extend(name);
    out.resize(padded, 0);
    out
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use super::{SECTOR, image};

    const FILES: [(&str, &[u8]); 3] =
        [("user-data", b"#cloud-config\n"), ("meta-data", b"{}"), ("network-config", &[b'x'; 5000])];

    #[test]
    fn the_label_stands_where_cloud_init_looks() {
        let image = image("CIDATA", &FILES);
        assert_eq!(image.len() % SECTOR, 0);
        assert_eq!(&image[16 * SECTOR..16 * SECTOR + 6], b"\x01CD001");
        assert_eq!(&image[16 * SECTOR + 40..16 * SECTOR + 47], b"CIDATA ");
    }

    /// By the reader of another, where there is one.
    #[test]
    fn others_read_it() {
        let there = Command::new("isoinfo").arg("-version").output().is_ok();
        assert!(there || std::env::var_os("CI").is_none_or(|ci| ci != "true"), "isoinfo is missing");
        if !there {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("seed.iso");
        fs::write(&file, image("CIDATA", &FILES)).unwrap();
        let isoinfo = |arguments: &[&str]| {
            let output = Command::new("isoinfo").arg("-i").arg(&file).args(arguments).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            output.stdout
        };
        let facts = String::from_utf8(isoinfo(&["-d"])).unwrap();
        assert!(facts.contains("Volume id: CIDATA") && facts.contains("Joliet"), "{facts}");
        for (name, content) in FILES {
            assert_eq!(isoinfo(&["-J", "-x", &format!("/{name}")]), content, "{name}");
        }
        assert_eq!(isoinfo(&["-x", "/FILE1.;1"]), b"{}");
    }
}
