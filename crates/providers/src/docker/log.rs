//! What a container printed: the newest part of it, as text.
//!
//! A container with a terminal has one stream. Without one the engine wraps each piece in a header of eight bytes: which
//! stream, three zeros, and the length, big-endian (Engine API, "Attach to a container", stream format). Both streams
//! are shown in the order in which they came.

/// How much of it is kept.
pub(super) const MAX_BYTES: usize = 256 * 1024;

const HEADER_BYTES: usize = 8;

/// Takes a log piece by piece, and keeps the newest of it.
pub(super) struct Log {
    wrapped: bool,
    /// Of a wrapped log: what is left of the piece that is being read.
    left: usize,
    header: Vec<u8>,
    kept: Vec<u8>,
}

impl Log {
    /// An empty log, of a container with or without a terminal.
    pub(super) fn new(terminal: bool) -> Self {
        Self { wrapped: !terminal, left: 0, header: Vec::with_capacity(HEADER_BYTES), kept: Vec::new() }
    }

    /// Takes the next bytes, cut anywhere.
    pub(super) fn take(&mut self, mut bytes: &[u8]) {
        if !self.wrapped {
            return self.keep(bytes);
        }
        while !bytes.is_empty() {
            if self.left == 0 {
                let (head, rest) = bytes.split_at(bytes.len().min(HEADER_BYTES - self.header.len()));
                self.header.extend_from_slice(head);
                bytes = rest;
                if let [_, _, _, _, a, b, c, d] = self.header[..] {
                    self.left = u32::from_be_bytes([a, b, c, d]) as usize;
                    self.header.clear();
                }
            } else {
                let (piece, rest) = bytes.split_at(bytes.len().min(self.left));
                self.left -= piece.len();
                self.keep(piece);
                bytes = rest;
            }
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        self.kept.extend_from_slice(piece);
        // Twice as much may pile up, so that bytes are not moved at every piece.
        if self.kept.len() > 2 * MAX_BYTES {
            self.kept.drain(..self.kept.len() - MAX_BYTES);
        }
    }

    /// The newest of what was taken, from the beginning of a line on.
    pub(super) fn text(self) -> String {
        let start = self.kept.len().saturating_sub(MAX_BYTES);
        let newest = &self.kept[start..];
        let begin =
            if start == 0 { 0 } else { newest.iter().position(|&b| b == b'\n').map_or(0, |at| at + 1) };
        String::from_utf8_lossy(&newest[begin..]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    use super::{Log, MAX_BYTES};

    fn wrap(pieces: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            out.extend([1 + (index % 2) as u8, 0, 0, 0]);
            out.extend((piece.len() as u32).to_be_bytes());
            out.extend(piece);
        }
        out
    }

    #[test]
    fn the_newest_of_a_long_log_is_kept() {
        let mut log = Log::new(true);
        for number in 0..100_000 {
            log.take(format!("line {number}\n").as_bytes());
        }
        let text = log.text();
        assert!(text.len() <= MAX_BYTES && text.len() > MAX_BYTES - 20);
        assert!(text.starts_with("line ") && text.ends_with("line 99999\n"));
    }

    proptest! {
        #[test]
        fn wrapped_pieces_come_back_wherever_they_are_cut(
            pieces in prop::collection::vec(prop::collection::vec(0x20u8..0x7f, 0..40), 0..8),
            cut in 1usize..20,
        ) {
            let mut log = Log::new(false);
            wrap(&pieces).chunks(cut).for_each(|bytes| log.take(bytes));
            prop_assert_eq!(log.text().into_bytes(), pieces.concat());
        }

        #[test]
        fn no_bytes_make_it_fall_over_or_grow(bytes in prop::collection::vec(any::<u8>(), 0..4000), terminal: bool) {
            let mut log = Log::new(terminal);
            bytes.chunks(7).for_each(|bytes| log.take(bytes));
            prop_assert!(log.text().len() <= 3 * bytes.len());
        }
    }
}
