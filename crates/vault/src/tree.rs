//! Trees: the entries of one folder, as JSON in restic's form.
//!
//! Source: restic's design document, "Trees and Data". Nodes stand in byte order of their names. Encoding
//! is by hand: a tree's id is the hash of its bytes, so they must be what restic's encoder would write,
//! and half a million nodes a minute pass through here.

use std::borrow::Cow;
use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::go_text;
use crate::id::Id;
use crate::node::{Node, NodeKind, Xattr};

const OPENING: &[u8] = br#"{"nodes":["#;

/// The JSON of a tree from the JSON of its nodes, which must be in order of their names.
pub(crate) fn encode<'a>(nodes: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut json = OPENING.to_vec();
    for node in nodes {
        if json.len() > OPENING.len() {
            json.push(b',');
        }
        json.extend_from_slice(node);
    }
    json.extend_from_slice(b"]}\n");
    json
}

/// The JSON of one node.
pub(crate) fn encode_node(node: &Node) -> Vec<u8> {
    let mut json = Vec::with_capacity(320 + 68 * node.content.len());
    json.extend_from_slice(br#"{"name":"#);
    go_text::push_json(&mut json, &go_text::quote(&node.name));
    push_text(&mut json, "type", kind_name(node.kind).as_bytes());
    push_number(&mut json, "mode", u64::from(node.mode));
    push_times(&mut json, [("mtime", node.mtime), ("atime", node.atime), ("ctime", node.ctime)]);
    let _ = write!(json, r#","uid":{},"gid":{}"#, node.uid, node.gid);
    push_text(&mut json, "user", node.user.as_bytes());
    push_text(&mut json, "group", node.group.as_bytes());
    push_number(&mut json, "inode", node.inode);
    push_number(&mut json, "device_id", node.device_id);
    push_number(&mut json, "size", node.size);
    push_number(&mut json, "links", node.links);
    push_text(&mut json, "linktarget", &node.link_target);
    if std::str::from_utf8(&node.link_target).is_err() {
        push_text(&mut json, "linktarget_raw", STANDARD.encode(&node.link_target).as_bytes());
    }
    push_xattrs(&mut json, &node.xattrs);
    push_number(&mut json, "device", node.device);
    push_content(&mut json, node);
    json.push(b'}');
    json
}

/// Writes times. Most often they are the same, and need be put into words only once.
fn push_times(json: &mut Vec<u8>, times: [(&str, Timestamp); 3]) {
    let mut before = None;
    for (key, time) in times {
        let _ = write!(json, r#","{key}":"#);
        let start = json.len();
        match before {
            Some((same, from, to)) if same == time => json.extend_from_within(from..to),
            _ => {
                let _ = write!(json, r#""{time}""#);
            }
        }
        before = Some((time, start, json.len()));
    }
}

fn push_number(json: &mut Vec<u8>, key: &str, number: u64) {
    if number != 0 {
        let _ = write!(json, r#","{key}":{number}"#);
    }
}

fn push_text(json: &mut Vec<u8>, key: &str, text: &[u8]) {
    if !text.is_empty() {
        let _ = write!(json, r#","{key}":"#);
        go_text::push_json(json, text);
    }
}

fn push_xattrs(json: &mut Vec<u8>, xattrs: &[Xattr]) {
    for (i, xattr) in xattrs.iter().enumerate() {
        json.extend_from_slice(if i == 0 { br#","extended_attributes":[{"name":"# } else { br#",{"name":"# });
        go_text::push_json(json, xattr.name.as_bytes());
        let _ = write!(json, r#","value":"{}"}}"#, STANDARD.encode(&xattr.value));
    }
    if !xattrs.is_empty() {
        json.push(b']');
    }
}

fn push_content(json: &mut Vec<u8>, node: &Node) {
    json.extend_from_slice(br#","content":"#);
    if node.kind == NodeKind::File {
        json.push(b'[');
        for (i, id) in node.content.iter().enumerate() {
            json.extend_from_slice(if i == 0 { b"\"" } else { b",\"" });
            push_hex(json, id);
            json.push(b'"');
        }
        json.push(b']');
    } else {
        json.extend_from_slice(b"null");
    }
    if let Some(id) = &node.subtree {
        json.extend_from_slice(br#","subtree":""#);
        push_hex(json, id);
        json.push(b'"');
    }
}

fn push_hex(json: &mut Vec<u8>, id: &Id) {
    let mut digits = [0; 64];
    if hex::encode_to_slice(id.0, &mut digits).is_ok() {
        json.extend_from_slice(&digits);
    }
}

fn kind_name(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::File => "file",
        NodeKind::Dir => "dir",
        NodeKind::Symlink => "symlink",
        NodeKind::BlockDevice => "dev",
        NodeKind::CharDevice => "chardev",
        NodeKind::Fifo => "fifo",
        NodeKind::Socket => "socket",
        NodeKind::Other => "irregular",
    }
}

/// The nodes of a tree in byte order of their names. Names may still be hostile.
pub(crate) fn decode(json: &[u8]) -> Result<Vec<Node>> {
    let malformed = || Error::damaged("a tree is malformed");
    let tree: TreeJson = serde_json::from_slice(json).map_err(|e| malformed().with_source(e))?;
    let nodes: Option<Vec<Node>> =
        tree.nodes.unwrap_or_default().into_iter().map(NodeJson::into_node).collect();
    let mut nodes = nodes.ok_or_else(malformed)?;
    if !nodes.is_sorted_by(|a, b| a.name <= b.name) {
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(nodes)
}

#[derive(Deserialize)]
struct TreeJson<'a> {
    #[serde(borrow)]
    nodes: Option<Vec<NodeJson<'a>>>,
}

#[derive(Deserialize)]
struct NodeJson<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default)]
    mode: u32,
    /// rustic leaves out the times of folders above what it was asked for.
    #[serde(default, deserialize_with = "go_text::timestamp")]
    mtime: Timestamp,
    #[serde(default, deserialize_with = "go_text::timestamp")]
    atime: Timestamp,
    #[serde(default, deserialize_with = "go_text::timestamp")]
    ctime: Timestamp,
    #[serde(default)]
    uid: u32,
    #[serde(default)]
    gid: u32,
    #[serde(default)]
    user: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    inode: u64,
    #[serde(default)]
    device_id: u64,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    links: u64,
    #[serde(borrow, default)]
    linktarget: Cow<'a, str>,
    #[serde(borrow, default)]
    linktarget_raw: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    extended_attributes: Option<Vec<XattrJson<'a>>>,
    #[serde(default)]
    device: u64,
    #[serde(default)]
    content: Option<Vec<Id>>,
    #[serde(default)]
    subtree: Option<Id>,
}

#[derive(Deserialize)]
struct XattrJson<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    value: Option<Cow<'a, str>>,
}

impl NodeJson<'_> {
    fn into_node(self) -> Option<Node> {
        let link_target = match self.linktarget_raw {
            Some(raw) => STANDARD.decode(raw.as_bytes()).ok()?,
            None => self.linktarget.into_owned().into_bytes(),
        };
        let xattr = |xattr: XattrJson<'_>| {
            let value = STANDARD.decode(xattr.value.unwrap_or_default().as_bytes()).ok()?;
            Some(Xattr { name: xattr.name.into_owned(), value })
        };
        let xattrs: Option<Vec<Xattr>> =
            self.extended_attributes.unwrap_or_default().into_iter().map(xattr).collect();
        Some(Node {
            name: go_text::unquote(&self.name)?,
            kind: kind_of(&self.kind),
            mode: self.mode,
            mtime: self.mtime,
            atime: self.atime,
            ctime: self.ctime,
            uid: self.uid,
            gid: self.gid,
            user: self.user,
            group: self.group,
            inode: self.inode,
            device_id: self.device_id,
            size: self.size,
            links: self.links,
            link_target,
            xattrs: xattrs?,
            device: self.device,
            content: self.content.unwrap_or_default(),
            subtree: self.subtree,
        })
    }
}

fn kind_of(name: &str) -> NodeKind {
    match name {
        "file" => NodeKind::File,
        "dir" => NodeKind::Dir,
        "symlink" => NodeKind::Symlink,
        "dev" => NodeKind::BlockDevice,
        "chardev" => NodeKind::CharDevice,
        "fifo" => NodeKind::Fifo,
        "socket" => NodeKind::Socket,
        _ => NodeKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::ProptestConfig;

    use super::*;

    fn sample() -> Node {
        let time = Timestamp::new(1_400_000_000, 123_000_000).unwrap();
        Node {
            name: b"odd \"\xff\n name".to_vec(),
            kind: NodeKind::Symlink,
            mode: 0o777 | 1 << 27,
            mtime: time,
            atime: time,
            ctime: Timestamp::UNIX_EPOCH,
            uid: 0,
            gid: 7,
            user: "root".into(),
            group: String::new(),
            inode: u64::MAX,
            device_id: 0,
            size: 0,
            links: 1,
            link_target: b"\xfe<&>".to_vec(),
            xattrs: vec![Xattr { name: "user.a".into(), value: vec![0, 255] }; 2],
            device: 0,
            content: vec![],
            subtree: None,
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let mut file = sample();
        file.kind = NodeKind::File;
        file.name = b"zz".to_vec();
        file.content = vec![Id::of(b"1"), Id::of(b"2")];
        let nodes = [encode_node(&sample()), encode_node(&file)];
        let json = encode(nodes.iter().map(Vec::as_slice));
        assert_eq!(decode(&json).unwrap(), [sample(), file]);
        assert!(json.starts_with(br#"{"nodes":[{"name":"odd \\\"\\xff\\n name","type":"symlink","mode":134218239,"mtime":"2014-05-13T16:53:20.123Z""#));
    }

    #[test]
    fn an_empty_tree_is_as_restic_writes_it() {
        assert_eq!(encode(std::iter::empty()), b"{\"nodes\":[]}\n");
        assert!(decode(br#"{"nodes":null}"#).unwrap().is_empty());
    }

    #[test]
    fn folders_without_times_are_read_as_rustic_writes_them() {
        let id = "de331fd471a9cdd1200e8e188fcfe834b2d81ffcbc3a01d0222b7501ec3e07b3";
        let json = format!(
            r#"{{"nodes":[{{"name":"dev","type":"dir","mode":493,"content":null,"subtree":"{id}"}}]}}"#
        );
        let node = decode(json.as_bytes()).unwrap().remove(0);
        assert_eq!((node.mtime, node.folder()), (Timestamp::UNIX_EPOCH, id.parse().ok()));
    }

    proptest::proptest! {
        #![proptest_config(ProptestConfig::with_cases(8 * ProptestConfig::default().cases))]
        #[test]
        fn mutated_trees_never_panic(at in 0usize..900, byte: u8) {
            let mut json = encode(std::iter::once(encode_node(&sample()).as_slice()));
            let at = at % json.len();
            json[at] = byte;
            let _ = decode(&json);
        }
    }
}
