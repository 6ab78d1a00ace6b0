//! Data for the benches: the same bytes on every machine, from nothing but a number.

use std::{
    fs,
    io::Write,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::Result;

/// A small fast generator (xorshift64*): good enough for bytes that do not compress.
pub struct Random(u64);

impl Random {
    /// The generator that this number begins.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Words that text is made of.
const WORDS: [&str; 24] = [
    "let", "return", "struct", "error", "path", "self", "match", "value", "request", "// the", "of a",
    "is not", "=>", "::new()", "{", "}", ";\n    ", "(\"", "\")", "\n\n", "0x1f", "snapshot", "machine",
    "vault",
];

/// What one of the large files has, in bytes.
pub const LARGE: usize = 105 << 20;
/// What is overwritten in each large file at a time, and how often.
const EXTENT: usize = 64 << 10;
const EXTENTS: u64 = 16;

/// Makes a tree of small files: source-like text for the most part, some binary, in folders of 25. Sizes are spread
/// as in source trees: many small, few large; 12.8 KB in the mean.
pub fn small_files(root: &Path, files: u64) -> Result<()> {
    let mut random = Random::new(files);
    for number in 0..files {
        let path = small_file(root, number);
        if number % 25 == 0 {
            fs::create_dir_all(path.parent().unwrap_or(root))?;
        }
        let size = 200 + 12_600 * (1 + random.below(100)) / (1 + random.below(100)).max(3) * 5 / 11;
        let content = if number % 8 == 0 { binary(&mut random, size) } else { text(&mut random, size) };
        fs::write(path, content)?;
    }
    Ok(())
}

/// Makes a tree of files of a hundred bytes, in folders of 500.
pub fn tiny_files(root: &Path, files: u64) -> Result<()> {
    let mut random = Random::new(files);
    for number in 0..files {
        let path = tiny_file(root, number);
        if number % 500 == 0 {
            fs::create_dir_all(path.parent().unwrap_or(root))?;
        }
        fs::write(path, text(&mut random, 100))?;
    }
    Ok(())
}

/// Gives every hundredth of so many tiny files other content.
pub fn change_tiny(root: &Path, files: u64, seed: u64) -> Result<()> {
    let mut random = Random::new(seed);
    for number in (0..files).step_by(100) {
        fs::write(tiny_file(root, number), text(&mut random, 100))?;
    }
    Ok(())
}

fn tiny_file(root: &Path, number: u64) -> PathBuf {
    root.join(format!("{:04}/{number}", number / 500))
}

/// Changes every hundredth of so many small files: half grow by some text, half are only touched.
pub fn change_small(root: &Path, files: u64, seed: u64) -> Result<()> {
    let mut random = Random::new(seed);
    for number in (0..files).step_by(100) {
        let mut file = fs::File::options().append(true).open(small_file(root, number))?;
        match number % 200 {
            0 => file.write_all(&text(&mut random, 500))?,
            _ => file.set_modified(SystemTime::now())?,
        }
    }
    Ok(())
}

fn small_file(root: &Path, number: u64) -> PathBuf {
    root.join(format!("{:03}/{:02}/file-{number}.rs", number / 500, number / 25 % 20))
}

/// Makes large files: half of them random, a quarter text like a log's, a quarter copies of random ones with a
/// hundred insertions of up to 512 bytes.
pub fn large_files(root: &Path, files: u64) -> Result<()> {
    fs::create_dir_all(root)?;
    for number in 0..files {
        let mut random = Random::new(files + number);
        let content = match number % 4 {
            0 | 1 => binary(&mut random, LARGE as u64),
            2 => text(&mut random, LARGE as u64),
            _ => insert(&mut random, &fs::read(large_file(root, number - 2))?),
        };
        fs::write(large_file(root, number), content)?;
    }
    Ok(())
}

/// Overwrites one per cent of each of so many large files, in extents.
pub fn change_large(root: &Path, files: u64, seed: u64) -> Result<()> {
    let mut random = Random::new(seed);
    for number in 0..files {
        let file = fs::File::options().write(true).open(large_file(root, number))?;
        for _ in 0..EXTENTS {
            let offset = random.below((LARGE - EXTENT) as u64);
            file.write_all_at(&binary(&mut random, EXTENT as u64), offset)?;
        }
    }
    Ok(())
}

fn large_file(root: &Path, number: u64) -> PathBuf {
    root.join(format!("{number:02}.img"))
}

/// A copy with bytes put in at a hundred places.
fn insert(random: &mut Random, original: &[u8]) -> Vec<u8> {
    let mut places: Vec<usize> = (0..100).map(|_| random.below(original.len() as u64) as usize).collect();
    places.sort_unstable();
    let (mut copy, mut copied) = (Vec::with_capacity(original.len() + 100 * 512), 0);
    for place in places {
        copy.extend_from_slice(&original[copied..place]);
        let length = 1 + random.below(512);
        copy.extend(binary(random, length));
        copied = place;
    }
    copy.extend_from_slice(&original[copied..]);
    copy
}

fn text(random: &mut Random, size: u64) -> Vec<u8> {
    let mut text = Vec::with_capacity(size as usize + 16);
    while (text.len() as u64) < size {
        let word = random.next();
        text.extend_from_slice(WORDS[(word % 24) as usize].as_bytes());
        text.push(b' ');
        if word & 0x700 == 0 {
            text.extend_from_slice(format!("{:x} ", word >> 40).as_bytes());
        }
    }
    text
}

fn binary(random: &mut Random, size: u64) -> Vec<u8> {
    (0..size.div_ceil(8)).flat_map(|_| random.next().to_le_bytes()).collect()
}
