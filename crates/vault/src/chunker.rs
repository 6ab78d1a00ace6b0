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
        match config.gear() {
            Some(name) => {
                Self::Gear(Box::new(GearTable::derive(name, config.chunker_polynomial, &config.id)))
            }
            None => Self::Rabin(Box::new(RabinTables::new(config.chunker_polynomial))),
        }
    }

    /// Files up to this size are one chunk and need no scan.
    pub(crate) fn min_size(&self) -> usize {
        match self {
            Self::Gear(table) => table.min_size(),
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
        let config = Config::generate().unwrap();
        let ours = serde_json::to_string(&config).unwrap();
        let older = ours.replace("gear-v2", "gear-v1");
        let large = (512 << 10..=8 << 20, 6..40);
        let small = (64 << 10..=1 << 20, 100..220);
        for (json, (sizes, count)) in [(ours, small), (older, large.clone()), (restic_config(&config), large)]
        {
            let config = Config::parse(json.as_bytes()).unwrap();
            let chunker = Chunker::new(&config);
            let whole = lengths(&chunker, &data, data.len());
            assert_eq!(whole, lengths(&chunker, &data, 100_003));
            let (_last, others) = whole.split_last().unwrap();
            assert!(others.iter().all(|length| sizes.contains(length)), "{whole:?}");
            assert!(count.contains(&whole.len()), "{} {json}", whole.len());
        }
    }

    #[test]
    fn a_change_costs_little_more_than_itself() {
        let mut data = noise(16 << 20);
        let chunker = Chunker::new(&Config::generate().unwrap());
        let chunks = |data: &[u8]| {
            let mut start = 0;
            let chunk = |length| {
                start += length;
                data[start - length..start].to_vec()
            };
            lengths(&chunker, data, data.len()).into_iter().map(chunk).collect::<Vec<_>>()
        };
        let before: std::collections::HashSet<_> = chunks(&data).into_iter().collect();
        for extent in 0..8 {
            data[(extent << 21) + 777..][..64 << 10].fill(extent as u8);
        }
        let new = chunks(&data).into_iter().filter(|chunk| !before.contains(chunk));
        let grown: usize = new.map(|chunk| chunk.len()).sum();
        // The share of a long run: eight extents alone may be unlucky.
        assert!(grown < 8 * (640 << 10), "{grown}");
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
