//! A repository in a bucket of an S3-compatible object store.
//!
//! Source: Amazon S3's API reference. Objects have the names of restic's own layout, so `restic -r
//! s3:ENDPOINT/BUCKET/PREFIX` opens what lies here. A request names bucket and object in its path, which
//! every such store understands.
//!
//! A PUT is atomic, and carries the SHA-256 of the body, which for all files but the config is their name;
//! so what arrives under a name is what belongs there. It says `If-None-Match: *`: what is there already
//! is not written again. The trash is `PREFIX/trash/SECONDS/KIND/NAME`, as in a local folder; since objects
//! cannot be renamed, one that is thrown away is for a moment in both places.

mod keys;
mod listing;
mod sign;

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::sync::Arc;

use jiff::Timestamp;
use ureq::http::{Request, Response};
use ureq::{Agent, AsSendBody, Body};

use super::http::{self, MAX_FILE, MAX_PROBLEM, read_body, transport_error};
use super::trash::Trashed;
use super::{FileKind, Name, Store};
use crate::error::{Error, ErrorKind, Result};
use crate::id::Id;

pub use keys::{S3Config, S3Keys};
use listing::{Listing, Object};

/// A page of a list: a thousand objects and their names.
const MAX_PAGE: u64 = 16 << 20;
/// Pages of a list: ten million objects.
const MAX_PAGES: usize = 10_000;

/// A [`Store`] in a bucket.
pub struct S3Store {
    agent: Agent,
    config: S3Config,
}

/// What a request is about.
struct Call<'a> {
    doing: &'a str,
    method: &'a str,
    /// The object; empty for the bucket itself.
    key: &'a str,
    /// Names and values, in order of names.
    query: &'a [(&'a str, &'a str)],
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
    /// The SHA-256 of the body, where it is known.
    hash: Option<Id>,
}

impl<'a> Call<'a> {
    fn new(doing: &'a str, method: &'a str, key: &'a str) -> Self {
        Self { doing, method, key, query: &[], headers: &[], body: &[], hash: None }
    }
}

impl S3Store {
    /// A store in this bucket. Nothing is sent yet. [`ErrorKind::Invalid`] when the endpoint or a
    /// certificate cannot be used.
    pub fn new(config: S3Config) -> Result<Self> {
        http::require_http(&config.endpoint)?;
        let agent = http::agent(config.ca_pem.as_deref(), config.timeout, None)?;
        let endpoint = config.endpoint.trim_end_matches('/').to_owned();
        let prefix = config.prefix.trim_matches('/').to_owned();
        Ok(Self { agent, config: S3Config { endpoint, prefix, ..config } })
    }

    /// Makes the bucket. [`ErrorKind::Conflict`] when there is one; in the oldest region one's own stays as
    /// it is.
    pub fn create_bucket(&self) -> Result<()> {
        let doing = format!("making the bucket {}", self.config.bucket);
        // The oldest region must not be named, the others must.
        let body = match self.config.region.as_str() {
            "us-east-1" => String::new(),
            region => format!(
                "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint>\
                 </CreateBucketConfiguration>"
            ),
        };
        self.done(&Call { body: body.as_bytes(), ..Call::new(&doing, "PUT", "") })
    }

    /// Asks whether the bucket is there and may be listed.
    pub fn reach(&self) -> Result<()> {
        let doing = format!("looking into the bucket {}", self.config.bucket);
        let query = [("list-type", "2"), ("max-keys", "1")];
        self.ask(&Call { query: &query, ..Call::new(&doing, "GET", "") }).map(drop)
    }

    /// The store beneath this one's prefix. Both use the same connections.
    #[must_use]
    pub fn beneath(&self, folder: &str) -> Self {
        let prefix = self.key(folder.trim_matches('/'));
        Self { agent: self.agent.clone(), config: S3Config { prefix, ..self.config.clone() } }
    }

    /// What [`S3Config::from_url`] makes this store of again, but for the keys.
    pub fn url(&self) -> String {
        self.config.url()
    }

    /// Stores a file that was verified to have this name, without reading it into memory.
    pub fn save_file(&self, kind: FileKind, name: &Name, mut file: File) -> Result<()> {
        let (doing, key) = (format!("storing {kind}/{name}"), self.object(kind, name));
        for headers in [&[("if-none-match", "*")][..], &[]] {
            file.rewind().map_err(|e| Error::io(doing.clone(), e))?;
            let call = Call { headers, hash: Some(name.0), ..Call::new(&doing, "PUT", &key) };
            let response = self.send_with(&call, &file)?;
            if response.status() != 501 {
                return self.stored(&doing, response).map(drop);
            }
            // Some stores do not know the condition. What is there under this name is the same.
        }
        Err(Error::new(ErrorKind::Unsupported, format!("{doing}: the store knows no PUT")))
    }

    /// A part of a file, as it comes.
    pub fn open_range(
        &self,
        kind: FileKind,
        name: &Name,
        offset: u64,
        length: u64,
    ) -> Result<impl Read + Send + 'static> {
        let (doing, key) = (format!("reading {kind}/{name}"), self.object(kind, name));
        let range = http::range(offset, length);
        let response = self.ask(&Call { headers: &[("range", &range)], ..Call::new(&doing, "GET", &key) })?;
        http::require_part(&doing, &response)?;
        Ok(response.into_body().into_reader())
    }

    /// When each file of a kind arrived. What came back from the trash arrived then.
    pub fn arrivals(&self, kind: FileKind) -> Result<HashMap<Id, Timestamp>> {
        let files = self.files(kind)?.into_iter();
        Ok(files.filter_map(|(name, object)| Some((name.0, object.modified?))).collect())
    }

    /// Removes everything beneath the prefix, the trash, too; returns how many objects.
    pub fn clear(&self) -> Result<usize> {
        if self.config.prefix.is_empty() {
            let message = "a bucket is not emptied as a whole, only what is beneath a prefix";
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let objects = self.objects("removing a vault", &self.key(""))?;
        for object in &objects {
            self.done(&Call::new("removing a vault", "DELETE", &object.key))?;
        }
        Ok(objects.len())
    }

    /// What is in the trash.
    pub fn trash(&self) -> Result<Vec<Trashed>> {
        let prefix = self.key("trash/");
        let trashed = |object: Object| {
            let mut parts = object.key.strip_prefix(&prefix)?.split('/');
            let discarded = Timestamp::from_second(parts.next()?.parse().ok()?).ok()?;
            let dir = parts.next()?;
            let kind = FileKind::FOLDERS.into_iter().find(|kind| kind.dir() == dir)?;
            Some(Trashed { kind, name: parts.next()?.parse().ok()?, size: object.size, discarded })
        };
        Ok(self.objects("listing the trash", &prefix)?.into_iter().filter_map(trashed).collect())
    }

    /// Removes for good what was thrown away before this time; returns how many files.
    pub fn empty_trash(&self, before: Timestamp) -> Result<usize> {
        let old: Vec<_> = self.trash()?.into_iter().filter(|trashed| trashed.discarded < before).collect();
        for trashed in &old {
            self.done(&Call::new("emptying the trash", "DELETE", &self.trash_key(trashed)))?;
        }
        Ok(old.len())
    }

    /// Brings back what was thrown away at this time or later; returns how many files.
    pub fn restore_from_trash(&self, since: Timestamp) -> Result<usize> {
        let mut found = self.trash()?;
        found.retain(|trashed| trashed.discarded >= since);
        // Snapshots last: until their packs are back they cannot be restored.
        found.sort_by_key(|trashed| trashed.kind == FileKind::Snapshot);
        for trashed in &found {
            let (from, to) = (self.trash_key(trashed), self.object(trashed.kind, &trashed.name));
            self.rename(&format!("bringing back {}/{}", trashed.kind, trashed.name), &from, &to)?;
        }
        Ok(found.len())
    }

    fn trash_key(&self, trashed: &Trashed) -> String {
        let (seconds, dir) = (trashed.discarded.as_second(), trashed.kind.dir());
        self.key(&format!("trash/{seconds}/{dir}/{}", trashed.name))
    }

    /// The name of an object beneath the prefix.
    fn key(&self, tail: &str) -> String {
        match self.config.prefix.as_str() {
            "" => tail.to_owned(),
            prefix => format!("{prefix}/{tail}"),
        }
    }

    fn object(&self, kind: FileKind, name: &Name) -> String {
        let name = name.to_string();
        match kind {
            FileKind::Config => self.key("config"),
            FileKind::Pack => self.key(&format!("data/{}/{name}", &name[..2])),
            _ => self.key(&format!("{}/{name}", kind.dir())),
        }
    }

    /// Sends a signed request; gives the answer whatever its status.
    fn send(&self, call: &Call<'_>) -> Result<Response<Body>> {
        match call.method {
            "PUT" => self.send_with(call, call.body),
            _ => self.send_with(call, ()),
        }
    }

    /// The same with this body, whose hash the call has.
    fn send_with(&self, call: &Call<'_>, body: impl AsSendBody) -> Result<Response<Body>> {
        let path = match call.key {
            "" => format!("/{}", self.config.bucket),
            key => format!("/{}/{key}", self.config.bucket),
        };
        let path = sign::escape(&path, true);
        let query: Vec<String> = call
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", sign::escape(name, false), sign::escape(value, false)))
            .collect();
        let query = query.join("&");
        let hash = call.hash.unwrap_or_else(|| Id::of(call.body)).to_string();
        let signed =
            sign::headers(&self.config, Timestamp::now(), call.method, &path, &query, call.headers, &hash);
        let separator = if query.is_empty() { "" } else { "?" };
        let mut request = Request::builder()
            .method(call.method)
            .uri(format!("{}{path}{separator}{query}", self.config.endpoint));
        for (name, value) in
            call.headers.iter().map(|(name, value)| (*name, (*value).to_owned())).chain(signed)
        {
            request = request.header(name, value);
        }
        let request = request.body(body);
        let request = request.map_err(|e| Error::new(ErrorKind::Invalid, call.doing).with_source(e))?;
        self.agent.run(request).map_err(|e| transport_error(call.doing, e))
    }

    /// The same, with error statuses turned into errors.
    fn ask(&self, call: &Call<'_>) -> Result<Response<Body>> {
        let response = self.send(call)?;
        if response.status().is_success() { Ok(response) } else { Err(failure(call.doing, response)) }
    }

    /// The same, for requests whose answer says nothing. It must be read all the same: some stores tell of
    /// a failure in an answer that began well.
    fn done(&self, call: &Call<'_>) -> Result<()> {
        let body = read_body(call.doing, self.ask(call)?, MAX_PROBLEM)?;
        match listing::problem(&body) {
            Some((code, message)) => {
                Err(Error::new(ErrorKind::Unreachable, format!("{}: {message} ({code})", call.doing)))
            }
            None => Ok(()),
        }
    }

    /// All objects whose names begin so.
    fn objects(&self, doing: &str, prefix: &str) -> Result<Vec<Object>> {
        let (mut objects, mut token) = (Vec::new(), None::<String>);
        for _ in 0..MAX_PAGES {
            let mut query = vec![("list-type", "2"), ("max-keys", "1000"), ("prefix", prefix)];
            if let Some(token) = &token {
                query.insert(0, ("continuation-token", token));
            }
            let response = self.ask(&Call { query: &query, ..Call::new(doing, "GET", "") })?;
            let body = read_body(doing, response, MAX_PAGE)?;
            let page =
                Listing::parse(&body).ok_or_else(|| Error::damaged(format!("{doing}: no list came")))?;
            objects.extend(page.objects);
            match page.next {
                Some(next) if token.as_ref() != Some(&next) => token = Some(next),
                _ => return Ok(objects),
            }
        }
        Err(Error::damaged(format!("{doing}: the list does not end")))
    }

    /// Copies an object within the bucket, then removes the first.
    fn rename(&self, doing: &str, from: &str, to: &str) -> Result<()> {
        let source = sign::escape(&format!("/{}/{from}", self.config.bucket), true);
        self.done(&Call { headers: &[("x-amz-copy-source", &source)], ..Call::new(doing, "PUT", to) })?;
        self.done(&Call::new(doing, "DELETE", from))
    }

    /// Writes an object that is not there yet; tells whether it was there.
    fn put_new(&self, doing: &str, key: &str, bytes: &[u8], hash: Id) -> Result<bool> {
        let call = Call { body: bytes, hash: Some(hash), ..Call::new(doing, "PUT", key) };
        let response = self.send(&Call { headers: &[("if-none-match", "*")], ..call })?;
        match response.status().as_u16() {
            // Some stores do not know the condition: then the question goes first.
            501 => match self.ask(&Call::new(doing, "HEAD", key)) {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let call = Call { body: bytes, hash: Some(hash), ..Call::new(doing, "PUT", key) };
                    self.done(&call).map(|()| false)
                }
                Err(error) => Err(error),
            },
            _ => self.stored(doing, response),
        }
    }

    /// What came of a PUT: whether the object was there.
    fn stored(&self, doing: &str, response: Response<Body>) -> Result<bool> {
        match response.status().as_u16() {
            200..300 => Ok(false),
            412 => Ok(true),
            // Someone else is just writing it.
            409 => Err(Error::new(ErrorKind::Unreachable, format!("{doing}: {}", response.status()))),
            _ => Err(failure(doing, response)),
        }
    }

    /// All files of a kind that has a folder.
    fn files(&self, kind: FileKind) -> Result<Vec<(Name, Object)>> {
        let prefix = self.key(&format!("{}/", kind.dir()));
        let objects = self.objects(&format!("listing {kind}"), &prefix)?;
        let file = |object: Object| {
            let name: Name = object.key.rsplit('/').next()?.parse().ok()?;
            (self.object(kind, &name) == object.key).then_some((name, object))
        };
        Ok(objects.into_iter().filter_map(file).collect())
    }
}

/// The error that an answer tells of.
fn failure(doing: &str, mut response: Response<Body>) -> Error {
    let status = response.status();
    let region = response.headers().get("x-amz-bucket-region").and_then(|value| value.to_str().ok());
    if let Some(region) = region.filter(|_| status.is_redirection()) {
        let message = format!("{doing}: the bucket is in the region {region:.40}");
        return Error::new(ErrorKind::Invalid, message);
    }
    let body = response.body_mut().with_config().limit(MAX_PROBLEM).read_to_vec().unwrap_or_default();
    let kind = http::status_kind(status.as_u16());
    match listing::problem(&body) {
        Some((code, message)) => {
            let passing = matches!(code.as_str(), "RequestTimeout" | "SlowDown");
            let kind = if passing { ErrorKind::Unreachable } else { kind };
            Error::new(kind, format!("{doing}: {message:.500} ({code:.100})"))
        }
        None => Error::new(kind, format!("{doing}: {status}")),
    }
}

impl Store for S3Store {
    fn list(&self, kind: FileKind) -> Result<Vec<(Name, u64)>> {
        if kind == FileKind::Config {
            return match self.size(kind, &Name::CONFIG) {
                Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
                other => other.map(|size| vec![(Name::CONFIG, size)]),
            };
        }
        Ok(self.files(kind)?.into_iter().map(|(name, object)| (name, object.size)).collect())
    }

    fn read(&self, kind: FileKind, name: &Name) -> Result<Vec<u8>> {
        let doing = format!("reading {kind}/{name}");
        let response = self.ask(&Call::new(&doing, "GET", &self.object(kind, name)))?;
        read_body(&doing, response, MAX_FILE)
    }

    fn read_range(&self, kind: FileKind, name: &Name, offset: u64, length: usize) -> Result<Vec<u8>> {
        if length == 0 {
            return Ok(Vec::new());
        }
        let doing = format!("reading {kind}/{name}");
        let (key, range) = (self.object(kind, name), http::range(offset, length as u64));
        let response = self.ask(&Call { headers: &[("range", &range)], ..Call::new(&doing, "GET", &key) })?;
        http::read_part(&doing, response, length)
    }

    fn read_range_into(&self, kind: FileKind, name: &Name, offset: u64, bytes: &mut [u8]) -> Result<()> {
        super::copy_range(self, kind, name, offset, bytes)
    }

    fn is_near(&self) -> bool {
        false
    }

    fn save(&self, kind: FileKind, name: &Name, bytes: &[u8]) -> Result<()> {
        let doing = format!("storing {kind}/{name}");
        let hash = if kind == FileKind::Config { Id::of(bytes) } else { name.0 };
        let existed = self.put_new(&doing, &self.object(kind, name), bytes, hash)?;
        if existed && kind == FileKind::Config {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("{} is a repository already", self.location()),
            ));
        }
        Ok(())
    }

    /// Stores of this kind remove what is not there without a word, so it is looked for first.
    fn remove(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.size(kind, name)?;
        self.done(&Call::new(&format!("removing {kind}/{name}"), "DELETE", &self.object(kind, name)))
    }

    fn has_trash(&self) -> bool {
        true
    }

    fn discard(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.size(kind, name)?;
        let trashed = Trashed { kind, name: *name, size: 0, discarded: Timestamp::now() };
        let doing = format!("throwing away {kind}/{name}");
        self.rename(&doing, &self.object(kind, name), &self.trash_key(&trashed))
    }

    fn size(&self, kind: FileKind, name: &Name) -> Result<u64> {
        let doing = format!("looking at {kind}/{name}");
        http::told_length(&doing, &self.ask(&Call::new(&doing, "HEAD", &self.object(kind, name)))?)
    }

    fn location(&self) -> String {
        format!("{}/{}/{}", self.config.endpoint, self.config.bucket, self.config.prefix)
    }

    fn behind_cache(&self) -> Option<Arc<dyn Store>> {
        None
    }
}
