//! One behaviour suite for all stores: a local folder, and a REST server in front of one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use roadstead_vault::store::{
    CacheStore, Disposal, FileKind, LimitStore, Limits, LocalStore, Name, RecordingStore, RestAuth,
    RestConfig, RestStore, RetryStore, S3Config, S3Keys, S3Store, Store,
};
use roadstead_vault::{
    Cancel, Error, ErrorKind, Id, InitOptions, KdfCost, PruneOptions, Repository, VoidMonitor,
};
use support::trees::{self, assert_same};
use support::{PASSWORD, backup, beneath, check, latest, restore, stored, temporary};

fn name(bytes: &[u8]) -> Name {
    Name(Id::of(bytes))
}

fn behaves(store: &dyn Store) {
    for kind in FileKind::FOLDERS {
        assert_eq!(store.list(kind).unwrap(), []);
        let (bytes, id) = (b"some bytes", name(b"some bytes"));
        for error in [
            store.read(kind, &id).map(drop),
            store.read_range(kind, &id, 0, 1).map(drop),
            store.size(kind, &id).map(drop),
            store.read_range_into(kind, &id, 0, &mut [0]),
            store.remove(kind, &id),
        ] {
            assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound, "{kind}");
        }
        store.save(kind, &id, bytes).unwrap();
        store.save(kind, &id, bytes).unwrap();
        assert_eq!(store.list(kind).unwrap(), [(id, 10)]);
        assert_eq!(
            (store.read(kind, &id).unwrap().as_slice(), store.size(kind, &id).unwrap()),
            (&bytes[..], 10)
        );
        assert_eq!(store.read_range(kind, &id, 5, 5).unwrap(), b"bytes");
        assert_eq!(store.read_range(kind, &id, 5, 6).unwrap_err().kind(), ErrorKind::Damaged);
        let mut part = [0; 5];
        store.read_range_into(kind, &id, 4, &mut part).unwrap();
        assert_eq!(&part, b" byte");
        assert_eq!(store.read_range_into(kind, &id, 6, &mut part).unwrap_err().kind(), ErrorKind::Damaged);
        if store.has_trash() {
            store.discard(kind, &id).unwrap();
            store.save(kind, &id, bytes).unwrap();
        } else {
            assert_eq!(store.discard(kind, &id).unwrap_err().kind(), ErrorKind::Unsupported);
        }
        store.remove(kind, &id).unwrap();
        assert_eq!(store.list(kind).unwrap(), []);
    }
    assert_eq!(store.list(FileKind::Config).unwrap(), []);
    store.save(FileKind::Config, &Name::CONFIG, b"one").unwrap();
    let error = store.save(FileKind::Config, &Name::CONFIG, b"two").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(store.read(FileKind::Config, &Name::CONFIG).unwrap(), b"one");
}

#[test]
fn the_local_store_behaves() {
    let folder = temporary();
    behaves(&LocalStore::new(folder.path()));
}

#[test]
fn whatever_stands_before_a_store_behaves() {
    type Wrap = fn(Arc<dyn Store>, PathBuf) -> Arc<dyn Store>;
    let wraps: [Wrap; 4] = [
        |store, folder| Arc::new(CacheStore::new(store, folder, 1 << 20).unwrap()),
        |store, _| Arc::new(RecordingStore::new(store)),
        |store, _| Arc::new(RetryStore::new(store, Duration::from_secs(60), Cancel::new())),
        |store, _| {
            let limits = Limits { upload: Some(1 << 40), download: Some(1 << 40) };
            Arc::new(LimitStore::new(store, limits, Cancel::new()))
        },
    ];
    for wrap in wraps {
        let folder = temporary();
        behaves(&*wrap(Arc::new(LocalStore::new(folder.path().join("vault"))), folder.path().join("cache")));
    }
}

#[test]
fn the_rest_store_behaves() {
    let folder = temporary();
    behaves(&rest(folder.path().to_owned(), RestAuth::Bearer("token".to_owned())));
}

#[test]
fn a_bucket_behaves() {
    let Some(moto) = Moto::start() else { return };
    behaves(&moto.store("plain", ""));
    behaves(&moto.store("prefixed", "some/where"));
    let nowhere = moto.config("no-such-bucket", "");
    let error = S3Store::new(nowhere).unwrap().list(FileKind::Pack).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("NoSuchBucket"), "{error}");
}

#[test]
fn a_bucket_lists_what_fills_many_pages_and_nothing_else() {
    let Some(moto) = Moto::start() else { return };
    let (store, neighbour) = (moto.store("pages", "a"), moto.store("other", "a"));
    let names: BTreeSet<Name> = (0..1100u32).map(|n| name(&n.to_le_bytes())).collect();
    (0..1100u32)
        .for_each(|n| store.save(FileKind::Index, &name(&n.to_le_bytes()), &n.to_le_bytes()).unwrap());
    neighbour.save(FileKind::Index, &name(b"x"), b"x").unwrap();
    store.save(FileKind::Pack, &name(b"pack"), b"pack").unwrap();
    let listed = store.list(FileKind::Index).unwrap();
    assert_eq!((listed.len(), listed.into_iter().map(|(name, _)| name).collect()), (1100, names));
    assert_eq!(store.list(FileKind::Pack).unwrap(), [(name(b"pack"), 4)]);
}

#[test]
fn the_trash_of_a_bucket_gives_back() {
    let Some(moto) = Moto::start() else { return };
    let store = moto.store("trash", "a");
    let pack = name(b"pack");
    store.save(FileKind::Pack, &pack, b"pack").unwrap();
    assert_eq!(store.discard(FileKind::Pack, &name(b"none")).unwrap_err().kind(), ErrorKind::NotFound);
    store.discard(FileKind::Pack, &pack).unwrap();
    assert_eq!(store.list(FileKind::Pack).unwrap(), []);
    let trashed = store.trash().unwrap().remove(0);
    assert_eq!((trashed.kind, trashed.name, trashed.size), (FileKind::Pack, pack, 4));
    assert_eq!(store.restore_from_trash(trashed.discarded).unwrap(), 1);
    assert_eq!(store.read(FileKind::Pack, &pack).unwrap(), b"pack");
    store.discard(FileKind::Pack, &pack).unwrap();
    assert_eq!(store.empty_trash(Timestamp::UNIX_EPOCH).unwrap(), 0);
    assert_eq!(store.empty_trash(Timestamp::MAX).unwrap(), 1);
    assert_eq!((store.trash().unwrap(), store.list(FileKind::Pack).unwrap()), (vec![], vec![]));
}

#[test]
fn a_vault_in_a_bucket_is_restics_as_well() {
    let Some(moto) = Moto::start() else { return };
    let folder = temporary();
    let source = folder.path().join("source");
    trees::build(&source);
    let store = Arc::new(moto.store("vault", "deep/down"));
    let options = InitOptions { kdf: KdfCost::RANDOM_KEY };
    let repository = Repository::init(store, PASSWORD.as_bytes(), &options).unwrap();
    let first = backup(&repository, &[&source]).snapshot;
    std::fs::remove_dir_all(source.join("many")).unwrap();
    backup(&repository, &[&source]);
    let target = folder.path().join("target");
    restore(&repository, &latest(&repository), &target);
    assert_same(&source, &beneath(&target, &source));
    let url = PathBuf::from(format!("s3:{}/vault/deep/down", moto.url));
    let restics = support::restics();
    restics.iter().for_each(|restic| restic.check(&url));
    repository.forget(&[first], Disposal::Remove, &Cancel::new()).unwrap();
    let options = PruneOptions { max_waste: 0.0, disposal: Disposal::Trash, ..PruneOptions::default() };
    assert!(repository.prune(&options, &VoidMonitor, &Cancel::new()).unwrap().packs_dropped > 0);
    assert_eq!(check(&repository).problems, []);
    for restic in restics {
        restic.check(&url);
        restic.run(&url, &["backup", source.to_str().unwrap()]);
        assert_eq!(check(&repository).problems, []);
    }
}

/// A stand-in for Amazon's S3 of its own, on a port of its own.
struct Moto {
    process: Child,
    url: String,
}

impl Moto {
    /// Starts the program in `ROADSTEAD_MOTO`, or the one in the path; without any the test says so and
    /// passes, but not in CI.
    fn start() -> Option<Self> {
        let program = std::env::var("ROADSTEAD_MOTO").unwrap_or_else(|_| "moto_server".to_owned());
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", "0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let Ok(mut process) = command.spawn() else {
            assert!(std::env::var_os("CI").is_none(), "no moto_server to test against");
            eprintln!("skipped: no moto_server to test against");
            return None;
        };
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            line.split_once("Running on http://").map(|(_, address)| address.trim().to_owned())
        });
        // It must never wait for somebody to read what it says.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { process, url: format!("http://{}", address.unwrap()) })
    }

    fn config(&self, bucket: &str, prefix: &str) -> S3Config {
        let keys =
            S3Keys { access_key: "test".to_owned(), secret_key: "test".to_owned(), session_token: None };
        S3Config::from_url(&format!("s3://{bucket}/{prefix}?endpoint={}", self.url), keys).unwrap()
    }

    /// A store in a bucket made for it.
    fn store(&self, bucket: &str, prefix: &str) -> S3Store {
        let store = S3Store::new(self.config(bucket, prefix)).unwrap();
        store.create_bucket().unwrap();
        store
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn uploads_are_stored_only_under_their_own_name() {
    let folder = temporary();
    let store = LocalStore::new(folder.path());
    let upload = |body: &[u8], name: &Name| {
        let mut upload = store.begin(FileKind::Pack, None).unwrap();
        body.chunks(3).for_each(|part| upload.write(part).unwrap());
        upload.finish(name)
    };
    assert_eq!(upload(b"true body", &name(b"true body")).unwrap(), 9);
    assert_eq!(upload(b"true body", &name(b"true body")).unwrap(), 9);
    assert_eq!(upload(b"a lie", &name(b"true")).unwrap_err().kind(), ErrorKind::Invalid);
    drop(store.begin(FileKind::Pack, None).unwrap());
    assert_eq!(store.list(FileKind::Pack).unwrap().len(), 1);
    assert!(stored(folder.path(), "tmp").is_empty());
    let young = store.begin(FileKind::Pack, None).unwrap();
    std::fs::write(folder.path().join("tmp/old"), "leftover").unwrap();
    let old = std::time::SystemTime::now() - Duration::from_secs(7200);
    std::fs::File::open(folder.path().join("tmp/old")).unwrap().set_modified(old).unwrap();
    assert_eq!(store.remove_leftovers().unwrap(), 1);
    drop(young);
}

#[test]
fn a_backup_over_rest_comes_back() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::build(&source);
    let store = Arc::new(rest(vault.clone(), RestAuth::Basic("user".to_owned(), "password".to_owned())));
    let store = Arc::new(RetryStore::new(store, Duration::from_secs(5), Cancel::new()));
    let repository =
        Repository::init(store, PASSWORD.as_bytes(), &InitOptions { kdf: KdfCost::RANDOM_KEY }).unwrap();
    backup(&repository, &[&source]);
    let target = folder.path().join("target");
    restore(&repository, &latest(&repository), &target);
    assert_same(&source, &beneath(&target, &source));
    assert_eq!(check(&repository).problems, []);
    for restic in support::restics() {
        restic.check(&vault);
    }
}

#[test]
fn refusals_carry_the_servers_words() {
    let folder = temporary();
    let error = rest(folder.path().to_owned(), RestAuth::None).list(FileKind::Pack).unwrap_err();
    assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Denied, false));
    assert!(error.to_string().contains("who are you"), "{error}");
    let nowhere = RestConfig { url: "http://127.0.0.1:1".to_owned(), ..RestConfig::default() };
    assert!(RestStore::new(nowhere).unwrap().list(FileKind::Pack).unwrap_err().is_temporary());
    let nonsense = RestConfig { url: "ftp://x".to_owned(), ..RestConfig::default() };
    assert_eq!(RestStore::new(nonsense).err().unwrap().kind(), ErrorKind::Invalid);
}

/// A store on a small REST server of this process that keeps its files in `folder`.
fn rest(folder: PathBuf, auth: RestAuth) -> RestStore {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/vault/", listener.local_addr().unwrap());
    let store = Arc::new(LocalStore::new(folder));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let store = Arc::clone(&store);
            std::thread::spawn(move || serve(&stream, &store));
        }
    });
    RestStore::new(RestConfig { url, auth, ..RestConfig::default() }).unwrap()
}

struct Request {
    method: String,
    path: String,
    range: Option<(u64, u64)>,
    authorized: bool,
    body: Vec<u8>,
}

fn serve(stream: &TcpStream, store: &LocalStore) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let (status, body) = match answer(&request, store) {
            Ok((status, body)) => (status, body),
            Err(error) => (status_of(&error), br#"{"detail":"no"}"#.to_vec()),
        };
        let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n", body.len());
        let shown = if request.method == "HEAD" { &[][..] } else { &body };
        let mut stream = stream;
        if stream.write_all(&[head.as_bytes(), shown].concat()).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut request = Request { method, path, range: None, authorized: false, body: Vec::new() };
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim().to_ascii_lowercase();
        match header.split_once(": ") {
            None => break,
            Some(("content-length", length)) => request.body = vec![0; length.parse().ok()?],
            Some(("authorization", _)) => request.authorized = true,
            Some(("range", range)) => {
                let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
                request.range = Some((from.parse().ok()?, to.parse().ok()?));
            }
            Some(_) => {}
        }
    }
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

fn answer(request: &Request, store: &LocalStore) -> Result<(u16, Vec<u8>), Error> {
    if !request.authorized {
        return Ok((401, br#"{"title":"Unauthorized","detail":"who are you"}"#.to_vec()));
    }
    let path = request.path.strip_prefix("/vault/").unwrap();
    let (kind, file) = path.split_once('/').unwrap_or((path, ""));
    let kind = FileKind::FOLDERS.into_iter().find(|k| k.dir() == kind).unwrap_or(FileKind::Config);
    let file = file.parse().unwrap_or(Name::CONFIG);
    match (request.method.as_str(), request.range) {
        ("GET", None) if path.ends_with('/') => {
            let files = store.list(kind)?;
            let file = |(name, size): (Name, u64)| format!(r#"{{"name":"{name}","size":{size}}}"#);
            Ok((200, format!("[{}]", files.into_iter().map(file).collect::<Vec<_>>().join(",")).into_bytes()))
        }
        ("GET", Some((from, to))) => {
            let size = store.size(kind, &file)?;
            let to = to.min(size.saturating_sub(1));
            Ok((206, store.read_range(kind, &file, from, (to + 1 - from) as usize)?))
        }
        ("GET" | "HEAD", _) => Ok((200, store.read(kind, &file)?)),
        ("POST", _) => {
            let mut upload = store.begin(kind, None)?;
            upload.write(&request.body)?;
            upload.finish(&file).map(|_| (200, Vec::new()))
        }
        _ => store.remove(kind, &file).map(|()| (200, Vec::new())),
    }
}

fn status_of(error: &Error) -> u16 {
    match error.kind() {
        ErrorKind::NotFound => 404,
        ErrorKind::Conflict => 409,
        ErrorKind::Invalid => 400,
        _ => 500,
    }
}
