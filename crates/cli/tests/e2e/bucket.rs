//! Vaults in a bucket: everything that is done with vaults on a disk.

use std::{
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use roadstead_api::{
    file::{FileList, FileQuery},
    run::RunState,
    vault::VaultKeyExport,
    vault_task::NewVaultTask,
};

use crate::support::{
    Agent, Server,
    moto::{KEYS, Moto},
    restic, roadstead, tree, wait_until,
};

#[test]
fn vaults_in_a_bucket_are_used_as_those_on_a_disk() {
    let Some(moto) = Moto::start() else { return };
    let server = Server::start_with(&["--vault-store", &moto.bucket("backups", "deep/down")]);
    let agent = Agent::start(&server);
    let work = tempfile::tempdir().unwrap();
    let source = work.path().join("source");
    tree::build(&source);
    let configuration = agent.configure(&server, &[&source], &[]);
    let first = agent.back_up_well(&server, configuration);
    assert!(first.ok && first.bytes_added > 9 << 20, "{first:?}");

    let target = work.path().join("target");
    agent.restore_well(&server, first.id, &target, &[]);
    tree::assert_same(&source, &target.join(source.strip_prefix("/").unwrap()));

    let query = FileQuery { path: Some(source.to_str().unwrap().to_owned()), ..FileQuery::default() };
    let files = server.client.call::<FileList>(&first.id, &query, &()).unwrap().items;
    assert!(files.iter().any(|file| file.name == "large" && file.size_bytes > 1 << 20), "{files:?}");

    through_the_server_and_beside_it(&server, &agent, &source);

    let check = server.client.start_check(&agent.vault, true).unwrap().id;
    let check = server.client.wait_for_check(check, |_| ()).unwrap();
    assert_eq!((check.state, check.problems.len()), (RunState::Completed, 0), "{check:?}");
    assert!(check.bytes_read > 9 << 20, "{check:?}");
    let cleanup = server.client.start_cleanup(&agent.vault).unwrap().id;
    let cleanup = server.client.wait_for_cleanup(cleanup, |_| ()).unwrap();
    assert_eq!(cleanup.state, RunState::Completed, "{cleanup:?}");
    server.client.restore_trash(&agent.vault).unwrap();
    let vault = server.client.vaults().unwrap().into_iter().find(|vault| vault.id == agent.vault).unwrap();
    assert!(vault.size_bytes > 9 << 20 && vault.snapshot_count > 1, "{vault:?}");

    assert!(moto.list("backups").contains(&format!("<Key>deep/down/{}/config</Key>", agent.vault)));
    assert!(!server.folder().join("vaults").exists(), "nothing lies on this machine");
    let received = server.folder().join("received/tmp");
    wait_until("what was received has gone on", || std::fs::read_dir(&received).unwrap().next().is_none());
}

/// Plain restic works through the server, and on the bucket itself with the exported key.
fn through_the_server_and_beside_it(server: &Server, agent: &Agent, source: &std::path::Path) {
    let key = server.call::<VaultKeyExport>(&agent.vault, &());
    let host = server.url.strip_prefix("http://").unwrap();
    let through = format!("rest:http://admin:{}@{host}/vaults/{}/", server.api_key, agent.vault);
    for program in restic::all() {
        for (repository, arguments) in [
            (&through, &["backup", source.to_str().unwrap()][..]),
            (&through, &["check", "--read-data"]),
            (&key.repository, &["check", "--read-data"]),
        ] {
            let (ok, text) = restic::run(&program, repository, &key.password, arguments);
            assert!(ok, "{repository} {arguments:?}: {text}");
        }
    }
}

#[test]
fn a_bucket_that_is_not_there_is_told_of() {
    let Some(moto) = Moto::start() else { return };
    let nowhere = format!("s3://nowhere/x?endpoint={}", moto.url());
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["server", "config", "check", "--vault-store", &nowhere, "--data-dir"];
    let checked = roadstead().args(arguments).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&[checked.stdout, checked.stderr].concat()).into_owned();
    assert!(said.contains("AWS_ACCESS_KEY_ID"), "without keys: {said}");

    let arguments = ["server", "--listen", "127.0.0.1:0", "--vault-store", &nowhere, "--data-dir"];
    let refused = roadstead().args(arguments).arg(folder.path()).envs(KEYS).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("NoSuchBucket"), "{said}");
}

/// A way to a store that can be closed.
struct Gate {
    address: SocketAddr,
    is_open: Arc<AtomicBool>,
    under_way: Arc<Mutex<Vec<TcpStream>>>,
}

impl Gate {
    fn to(store: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (is_open, under_way) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(Vec::new())));
        let gate = Self { address, is_open: is_open.clone(), under_way: under_way.clone() };
        thread::spawn(move || {
            for asker in listener.incoming() {
                let asker = asker.unwrap();
                let Ok(store) = TcpStream::connect(&store) else { continue };
                under_way.lock().unwrap().extend([asker.try_clone().unwrap(), store.try_clone().unwrap()]);
                if !is_open.load(Ordering::SeqCst) {
                    asker.shutdown(Shutdown::Both).unwrap_or_default();
                    continue;
                }
                for (mut from, mut to) in
                    [(asker.try_clone().unwrap(), store.try_clone().unwrap()), (store, asker)]
                {
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        gate
    }

    fn close(&self) {
        self.is_open.store(false, Ordering::SeqCst);
        for stream in self.under_way.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_bucket_that_is_out_of_reach_is_told_of_and_waited_for() {
    let Some(moto) = Moto::start() else { return };
    let gate = Gate::to(moto.url().strip_prefix("http://").unwrap().trim_end_matches('/').to_owned());
    let url = moto.bucket("backups", "away").replace(moto.url(), &format!("http://{}", gate.address));
    let server = Server::start_with(&["--vault-store", &url]);
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 100_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    agent.back_up_well(&server, configuration);

    gate.close();
    tree::fill(source.path(), 4, 100_000);
    let running = server.client.start_backup(configuration).unwrap();
    let told = "The vault store does not answer";
    wait_until("the agent has asked in vain", || server.log().contains(told));
    let refused = server.client.trash(&agent.vault).unwrap_err();
    assert!(refused.to_string().contains(told), "{refused}");
    assert!(server.client.agents().is_ok(), "all else goes on");
    let drill = server.client.start_vault_task(&agent.vault, &NewVaultTask::drill()).unwrap().id;

    gate.open();
    let ended = running.wait(|_| ()).unwrap();
    assert_eq!(ended.state, RunState::Completed, "{ended:?}\n{}", agent.log());
    let drill = server.client.wait_for_vault_task(drill, |_| ()).unwrap();
    assert_eq!(drill.state, RunState::Completed, "{drill:?}");
    let check = server.client.start_check(&agent.vault, true).unwrap().id;
    let check = server.client.wait_for_check(check, |_| ()).unwrap();
    assert_eq!((check.state, check.snapshots_checked), (RunState::Completed, 2), "{check:?}");
}
