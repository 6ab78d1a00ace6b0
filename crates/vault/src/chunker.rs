//! Cutting files into chunks by their content, so that an insertion moves no cut but those next to it.
//!
//! Two ways to cut: the gear hash (FastCDC) in repositories of our own, and restic's Rabin fingerprint in
//! those that restic made, so that both find each other's blobs. Tables are built once per repository.

mod gear;
mod rabin;

use crate::config::Config;

use gear::GearTable;
use rabin::RabinTables;

/// The tables of a repository's chunker.
pub(crate) enum Chunker {
    Gear(Box<GearTable>),
    Rabin(Box<RabinTables>),
}

impl Chunker {
    /// The chunker that a repository's config asks for.
    pub(crate) fn new(config: &Config) -> Self {
        if config.uses_gear() {
            Self::Gear(Box::new(GearTable::derive(config.chunker_polynomial, &config.id)))
        } else {
            Self::Rabin(Box::new(RabinTables::new(config.chunker_polynomial)))
        }
    }

    /// Files up to this size are one chunk and need no scan.
    pub(crate) fn min_size(&self) -> usize {
        match self {
            Self::Gear(_) => gear::MIN,
            Self::Rabin(_) => rabin::MIN,
        }
    }

    /// A scan that stands before the first byte of a chunk.
    pub(crate) fn scan(&self) -> Scan<'_> {
        Scan { chunker: self, scanned: 0, hash: 0 }
    }
}

/// The search for the end of one chunk, which may go on over several reads.
pub(crate) struct Scan<'a> {
    chunker: &'a Chunker,
    scanned: usize,
    hash: u64,
}

impl Scan<'_> {
    /// Looks for the end of the chunk that begins at the start of `data`. Until it is found, call again
    /// with the same bytes and more after them; only the new ones are looked at. The scan then stands at
    /// the beginning of the next chunk.
    pub(crate) fn cut(&mut self, data: &[u8]) -> Option<usize> {
        let found = match self.chunker {
            Chunker::Gear(table) => table.scan(data, &mut self.scanned, &mut self.hash),
            Chunker::Rabin(tables) => tables.scan(data, &mut self.scanned, &mut self.hash),
        };
        if found.is_some() {
            (self.scanned, self.hash) = (0, 0);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that look random and are the same in every run.
    fn noise(length: usize) -> Vec<u8> {
        let mut x = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = || {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            (x >> 32) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    fn lengths(chunker: &Chunker, mut data: &[u8], step: usize) -> Vec<usize> {
        let (mut scan, mut found, mut end) = (chunker.scan(), Vec::new(), 0);
        while end < data.len() {
            end = (end + step).min(data.len());
            while let Some(cut) = scan.cut(&data[..end]) {
                found.push(cut);
                data = &data[cut..];
                end -= cut;
            }
        }
        found
    }

    #[test]
    fn cuts_do_not_depend_on_how_the_file_is_read() {
        let data = noise(24 << 20);
        let mut config = Config::generate().unwrap();
        for json in [serde_json::to_string(&config).unwrap(), restic_config(&config)] {
            config = Config::parse(json.as_bytes()).unwrap();
            let chunker = Chunker::new(&config);
            let whole = lengths(&chunker, &data, data.len());
            assert_eq!(whole, lengths(&chunker, &data, 100_003));
            assert!(whole.iter().all(|length| (512 << 10..=8 << 20).contains(length)), "{whole:?}");
            assert!((6..40).contains(&whole.len()), "{whole:?}");
        }
    }

    #[test]
    fn zeros_are_cut_at_the_maximum_or_regularly() {
        let chunker = Chunker::new(&Config::generate().unwrap());
        let found = lengths(&chunker, &vec![0; 20 << 20], 1 << 20);
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]) && !found.is_empty());
    }

    fn restic_config(config: &Config) -> String {
        let polynomial = serde_json::to_string(&config.chunker_polynomial).unwrap();
        format!(r#"{{"version":2,"id":"{}","chunker_polynomial":{polynomial}}}"#, config.id)
    }
}
