//! What of a machine's output is kept: text, in pieces, up to a bound.
//!
//! Bytes come cut anywhere, so a character that is not whole yet waits for its rest. What is no UTF-8 is replaced. Beyond
//! the bound nothing is kept but the count, and one line says so.

use roadstead_api::command::OutputStream;

/// How much of one machine's output is kept, in bytes.
const MOST_OF_ONE: usize = 256 * 1024;
/// How much of all machines' together.
const MOST_OF_ALL: usize = 32 * 1024 * 1024;
/// What stands where the rest would.
const CUT: &str = "\n[the rest is not kept]\n";

/// How much is kept of each, where a command runs on so many machines.
pub fn most_bytes(machines: usize) -> usize {
    MOST_OF_ONE.min(MOST_OF_ALL / machines.max(1))
}

/// A machine's output on its way to be written down.
#[derive(Debug)]
pub struct Kept {
    pieces: Vec<(OutputStream, String)>,
    begun: [Vec<u8>; 2],
    room: usize,
    is_cut: bool,
    seen: u64,
}

impl Kept {
    /// Nothing yet, with room for so many bytes.
    pub fn new(room: usize) -> Self {
        Self { pieces: Vec::new(), begun: [Vec::new(), Vec::new()], room, is_cut: false, seen: 0 }
    }

    /// Takes the next bytes of a stream.
    pub fn take(&mut self, stream: OutputStream, bytes: &[u8]) {
        self.seen += bytes.len() as u64;
        if self.is_cut {
            return;
        }
        let begun = &mut self.begun[index(stream)];
        begun.extend_from_slice(bytes);
        let whole = whole_characters(begun);
        let taken: Vec<u8> = begun.drain(..whole).collect();
        self.keep(stream, &String::from_utf8_lossy(&taken));
    }

    /// Takes what is left of characters that never became whole.
    pub fn finish(&mut self) {
        for stream in [OutputStream::Stdout, OutputStream::Stderr] {
            let rest = std::mem::take(&mut self.begun[index(stream)]);
            self.keep(stream, &String::from_utf8_lossy(&rest));
        }
    }

    /// How many bytes there were, kept or not.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// What is to be written down now.
    pub fn pieces(&mut self) -> Vec<(OutputStream, String)> {
        std::mem::take(&mut self.pieces)
    }

    fn keep(&mut self, stream: OutputStream, text: &str) {
        if text.is_empty() || self.is_cut {
            return;
        }
        let end = text.floor_char_boundary(self.room);
        self.room -= end;
        match self.pieces.last_mut() {
            Some((last, piece)) if *last == stream => piece.push_str(&text[..end]),
            _ if end == 0 => {}
            _ => self.pieces.push((stream, text[..end].to_owned())),
        }
        if end < text.len() {
            self.is_cut = true;
            self.pieces.push((OutputStream::Stderr, CUT.to_owned()));
        }
    }
}

fn index(stream: OutputStream) -> usize {
    match stream {
        OutputStream::Stdout => 0,
        OutputStream::Stderr => 1,
    }
}

/// How many of these bytes can be read by themselves: all but a character at the end that is not whole yet.
fn whole_characters(bytes: &[u8]) -> usize {
    for back in 1..=3.min(bytes.len()) {
        let first = bytes[bytes.len() - back];
        let length = match first {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => break,
        };
        return if length > back { bytes.len() - back } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};
    use roadstead_api::command::OutputStream;

    use super::{CUT, Kept, most_bytes};

    fn text(kept: &mut Kept, wanted: OutputStream) -> String {
        kept.finish();
        kept.pieces().into_iter().filter(|(stream, _)| *stream == wanted).map(|(_, text)| text).collect()
    }

    #[test]
    fn beyond_the_bound_only_the_count_goes_on() {
        let mut kept = Kept::new(5);
        kept.take(OutputStream::Stdout, "abcdé".as_bytes());
        kept.take(OutputStream::Stdout, b"f");
        assert_eq!(kept.seen(), 7);
        let pieces = kept.pieces();
        assert_eq!(pieces, [(OutputStream::Stdout, "abcd".into()), (OutputStream::Stderr, CUT.into())]);
        assert!(most_bytes(1) > most_bytes(1000) && most_bytes(0) > 0);
    }

    proptest! {
        #[test]
        fn text_comes_back_wherever_it_is_cut(words in ".{0,80}", cut in 1usize..7) {
            let mut kept = Kept::new(1 << 20);
            words.as_bytes().chunks(cut).for_each(|bytes| kept.take(OutputStream::Stdout, bytes));
            prop_assert_eq!(text(&mut kept, OutputStream::Stdout), words);
        }

        #[test]
        fn no_bytes_make_it_fall_over_or_grow(bytes in prop::collection::vec(any::<u8>(), 0..2000), room in 0usize..300) {
            let mut kept = Kept::new(room);
            for (number, bytes) in bytes.chunks(13).enumerate() {
                let stream = if number % 2 == 0 { OutputStream::Stdout } else { OutputStream::Stderr };
                kept.take(stream, bytes);
            }
            kept.finish();
            prop_assert_eq!(kept.seen(), bytes.len() as u64);
            let all: usize = kept.pieces().iter().map(|(_, text)| text.len()).sum();
            prop_assert!(all <= room + CUT.len());
        }
    }
}
