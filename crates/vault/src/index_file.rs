//! Index files: JSON lists of packs and the blobs in each.
//!
//! Source: restic's design document, "Indexing".

use std::fmt::Write;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::id::Id;
use crate::pack::{BlobKind, PackedBlob};

/// Blobs in one index file at most, which keeps it below 8 MiB as restic wants.
pub(crate) const BLOBS: usize = 50_000;

/// What an index file says: packs, each with its blobs.
pub(crate) type Packs = Vec<(Id, Vec<PackedBlob>)>;

#[derive(Deserialize)]
struct IndexJson {
    #[serde(deserialize_with = "crate::go_text::null_to_default")]
    packs: Vec<PackJson>,
}

#[derive(Deserialize)]
struct PackJson {
    id: Id,
    #[serde(default, deserialize_with = "crate::go_text::null_to_default")]
    blobs: Vec<BlobJson>,
}

#[derive(Deserialize)]
struct BlobJson {
    id: Id,
    #[serde(rename = "type")]
    kind: KindJson,
    offset: u32,
    length: u32,
    /// rustic writes `null` for what is not compressed.
    #[serde(default, deserialize_with = "crate::go_text::null_to_default")]
    uncompressed_length: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindJson {
    Data,
    Tree,
}

impl From<BlobJson> for PackedBlob {
    fn from(blob: BlobJson) -> Self {
        let kind = match blob.kind {
            KindJson::Data => BlobKind::Data,
            KindJson::Tree => BlobKind::Tree,
        };
        let plain_length = (blob.uncompressed_length != 0).then_some(blob.uncompressed_length);
        Self { id: blob.id, kind, offset: blob.offset, length: blob.length, plain_length }
    }
}

/// Reads an index file.
pub(crate) fn parse(json: &[u8]) -> Result<Packs> {
    let index: IndexJson = serde_json::from_slice(json)
        .map_err(|e| Error::damaged("an index file is malformed").with_source(e))?;
    let pack = |pack: PackJson| (pack.id, pack.blobs.into_iter().map(PackedBlob::from).collect());
    Ok(index.packs.into_iter().map(pack).collect())
}

/// Collects stored packs until they fill an index file.
#[derive(Default)]
pub(crate) struct IndexWriter {
    packs: Packs,
    blobs: usize,
}

impl IndexWriter {
    /// Adds a pack that is safely stored. Gives the JSON of an index file when one is full.
    pub(crate) fn push(&mut self, pack: Id, blobs: Vec<PackedBlob>) -> Option<Vec<u8>> {
        self.blobs += blobs.len();
        self.packs.push((pack, blobs));
        if self.blobs >= BLOBS { self.take() } else { None }
    }

    /// The JSON of an index file with all packs not yet given, if there are any.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        if self.packs.is_empty() {
            return None;
        }
        self.blobs = 0;
        Some(encode(&std::mem::take(&mut self.packs)).into_bytes())
    }
}

fn encode(packs: &Packs) -> String {
    let mut json = String::from(r#"{"packs":["#);
    for (i, (pack, blobs)) in packs.iter().enumerate() {
        let _ = write!(json, r#"{}{{"id":"{pack}","blobs":["#, if i > 0 { "," } else { "" });
        for (i, blob) in blobs.iter().enumerate() {
            encode_blob(&mut json, blob, i > 0);
        }
        json.push_str("]}");
    }
    json.push_str("]}");
    json
}

fn encode_blob(json: &mut String, blob: &PackedBlob, comma: bool) {
    let (comma, id, offset, length) = (if comma { "," } else { "" }, blob.id, blob.offset, blob.length);
    let kind = if blob.kind == BlobKind::Tree { "tree" } else { "data" };
    let _ = write!(json, r#"{comma}{{"id":"{id}","type":"{kind}","offset":{offset},"length":{length}"#);
    if let Some(plain) = blob.plain_length {
        let _ = write!(json, r#","uncompressed_length":{plain}"#);
    }
    json.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let blob = |id: &[u8], plain| PackedBlob {
            id: Id::of(id),
            kind: BlobKind::Tree,
            offset: 4,
            length: 99,
            plain_length: plain,
        };
        let packs = vec![(Id::of(b"p"), vec![blob(b"a", None), blob(b"b", Some(7))]), (Id::of(b"q"), vec![])];
        assert_eq!(parse(encode(&packs).as_bytes()).unwrap(), packs);
        assert_eq!(parse(br#"{"packs":null}"#).unwrap(), []);
        let null = encode(&packs).replace("\"length\":99}", "\"length\":99,\"uncompressed_length\":null}");
        assert!(null.contains("null"));
        assert_eq!(parse(null.as_bytes()).unwrap(), packs);
    }

    proptest::proptest! {
        #[test]
        fn hostile_files_never_panic(text in r#"\{"packs":\[\{"id":"[0-9a-f]{60,66}","blobs":\[[\PC]{0,40}"#) {
            let _ = parse(text.as_bytes());
        }
    }
}
