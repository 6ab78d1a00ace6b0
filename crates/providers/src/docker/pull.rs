//! Fetching an image, and what the engine tells of it: one JSON object a line, for as long as it takes.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::call::{Caller, encoded, shown};
use crate::{
    container::Progress,
    error::{Error, ErrorKind, Result},
};

/// How long a line of the answer may be.
const MAX_LINE_BYTES: usize = 64 * 1024;
/// How long the answer may be.
const MAX_TALE_BYTES: usize = 256 * 1024 * 1024;
/// How many layers are counted.
const MAX_LAYERS: usize = 512;

#[derive(Debug, Deserialize)]
struct Line {
    id: Option<String>,
    status: Option<String>,
    #[serde(rename = "progressDetail")]
    detail: Option<Detail>,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Detail {
    current: Option<u64>,
    total: Option<u64>,
}

/// Has the engine fetch an image from its registry.
pub(super) async fn pull(caller: &Caller, image: &str, progress: &Progress) -> Result<()> {
    let (name, tag) = split(image);
    let path = format!("/images/create?fromImage={}&tag={}", encoded(name), encoded(tag));
    let mut reply = caller.post(&path, None).await.map_err(|error| unavailable(image, error))?;
    let mut lines = Lines::default();
    let mut layers = Layers::default();
    let mut read = 0;
    while let Some(piece) = reply.piece().await? {
        read += piece.len();
        if read > MAX_TALE_BYTES {
            return Err(Error::new(ErrorKind::Malformed, "the engine tells of an image without end"));
        }
        for line in lines.take(&piece)? {
            if let Some(complaint) = layers.take(line) {
                let complaint = shown(&complaint).unwrap_or_else(|| "it did not say why".to_owned());
                let message = format!("the engine cannot fetch the image {image}: {complaint}");
                return Err(Error::new(refusal(&complaint), message));
            }
        }
        progress.tell(|| layers.line(image));
    }
    Ok(())
}

/// A registry's refusal, which the engine passes on in words of its own.
fn refusal(complaint: &str) -> ErrorKind {
    let text = complaint.to_lowercase();
    match () {
        () if text.contains("not found") || text.contains("manifest unknown") => ErrorKind::NotFound,
        () if text.contains("denied") || text.contains("unauthorized") => ErrorKind::MissingRights,
        () => ErrorKind::Failed,
    }
}

fn unavailable(image: &str, error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::Failed | ErrorKind::MissingRights => {
            Error::new(error.kind(), format!("the engine cannot fetch the image {image}")).caused_by(error)
        }
        _ => error,
    }
}

/// The name of an image, and its tag or digest.
pub(super) fn split(image: &str) -> (&str, &str) {
    if let Some(parts) = image.split_once('@') {
        return parts;
    }
    // A colon before the last slash is that of a registry's port.
    let last = image.rfind('/').map_or(0, |at| at + 1);
    match image[last..].rfind(':') {
        Some(colon) => (&image[..last + colon], &image[last + colon + 1..]),
        None => (image, "latest"),
    }
}

/// Puts lines together.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    /// The lines that end with this piece. What is no JSON is passed over.
    fn take(&mut self, piece: &[u8]) -> Result<Vec<Line>> {
        self.0.extend_from_slice(piece);
        let mut lines = Vec::new();
        while let Some(end) = self.0.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.0.drain(..=end).collect();
            lines.extend(serde_json::from_slice::<Line>(&line));
        }
        if self.0.len() > MAX_LINE_BYTES {
            return Err(Error::new(
                ErrorKind::Malformed,
                "the engine tells of an image in lines without end",
            ));
        }
        Ok(lines)
    }
}

/// How far the layers are.
#[derive(Default)]
struct Layers(BTreeMap<String, Layer>);

#[derive(Default)]
struct Layer {
    current: u64,
    total: u64,
    done: bool,
}

impl Layers {
    /// Takes a line, and returns the complaint in it.
    fn take(&mut self, line: Line) -> Option<String> {
        if line.error.is_some() {
            return line.error;
        }
        let (id, status) = (line.id?, line.status.unwrap_or_default());
        // "Pulling from ..." has the tag for its id.
        if status.starts_with("Pulling from") || (self.0.len() >= MAX_LAYERS && !self.0.contains_key(&id)) {
            return None;
        }
        let layer = self.0.entry(id).or_default();
        layer.done |= matches!(status.as_str(), "Pull complete" | "Already exists");
        if let (Some(detail), "Downloading") = (line.detail, status.as_str()) {
            layer.total = detail.total.unwrap_or(layer.total);
            layer.current = detail.current.unwrap_or(layer.current);
        }
        None
    }

    fn line(&self, image: &str) -> String {
        let done = self.0.values().filter(|layer| layer.done).count();
        let sum = |of: fn(&Layer) -> u64| self.0.values().map(of).fold(0u64, u64::saturating_add) >> 20;
        let (have, whole) = (sum(|layer| layer.current), sum(|layer| layer.total));
        format!("fetching the image {image}: {done} of {} layers, {have} of {whole} MiB", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    use super::{Layers, Lines, split};

    #[test]
    fn names_and_tags_are_told_apart() {
        for (image, parts) in [
            ("busybox", ("busybox", "latest")),
            ("busybox:1.36", ("busybox", "1.36")),
            ("localhost:5000/a/b", ("localhost:5000/a/b", "latest")),
            ("localhost:5000/a/b:c", ("localhost:5000/a/b", "c")),
            ("a@sha256:00", ("a", "sha256:00")),
        ] {
            assert_eq!(split(image), parts);
        }
    }

    #[test]
    fn progress_is_told_in_layers_and_bytes() {
        let text = concat!(
            "{\"status\":\"Pulling from library/x\",\"id\":\"latest\"}\r\n",
            "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":2097152,\"total\":4194304},\"id\":\"a\"}\r\n",
            "{\"status\":\"Already exists\",\"progressDetail\":{},\"id\":\"b\"}\r\n",
        );
        let mut layers = Layers::default();
        for line in Lines::default().take(text.as_bytes()).unwrap() {
            assert_eq!(layers.take(line), None);
        }
        assert_eq!(layers.line("x"), "fetching the image x: 1 of 2 layers, 2 of 4 MiB");
        let error = Lines::default().take(b"{\"error\":\"denied\"}\n").unwrap().remove(0);
        assert_eq!(layers.take(error).as_deref(), Some("denied"));
        assert!(Lines::default().take(&[b'x'; 70_000]).is_err());
    }

    proptest! {
        #[test]
        fn lines_come_whole_wherever_they_are_cut(ids in prop::collection::vec("[a-f0-9]{1,12}", 0..20), cut in 1usize..30) {
            let text: String = ids.iter().map(|id| format!("{{\"status\":\"Waiting\",\"id\":\"{id}\"}}\n")).collect();
            let mut lines = Lines::default();
            let read: Vec<_> = text.as_bytes().chunks(cut).flat_map(|piece| lines.take(piece).unwrap()).collect();
            prop_assert_eq!(read.into_iter().filter_map(|line| line.id).collect::<Vec<_>>(), ids);
        }

        #[test]
        fn no_answer_makes_it_fall_over(bytes in prop::collection::vec(any::<u8>(), 0..600), image in "[a-z:/@]{0,20}") {
            let mut layers = Layers::default();
            for line in Lines::default().take(&bytes).unwrap() {
                layers.take(line);
            }
            let (name, tag) = split(&image);
            prop_assert!(name.len() + tag.len() <= image.len() + "latest".len());
            let _ = layers.line(&image);
        }
    }
}
