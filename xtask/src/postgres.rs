//! A throw-away PostgreSQL for the tests: a cluster of its own in a temporary folder, on a free port of loopback, that
//! ends with whoever started it.

use std::{
    env, fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use crate::{
    command::{output, run, works},
    tools,
};

/// Who owns the cluster when the tests run as root, whom `initdb` refuses.
const OWNER: &str = "postgres";

/// A running cluster. Dropped, it is stopped and removed.
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    /// How to reach its first database.
    pub url: String,
}

impl Cluster {
    /// Makes and starts a cluster; installs PostgreSQL if it is not there.
    pub fn start() -> Result<Self> {
        let programs = match programs() {
            Some(programs) => programs,
            None => {
                tools::apt_install(&["postgresql"])?;
                programs().context("the package postgresql brought no initdb")?
            }
        };
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = env::temp_dir().join(format!("roadstead-postgres-{}", std::process::id()));
        fs::create_dir(&folder)?;
        let url = format!("postgres://{OWNER}@127.0.0.1:{port}/postgres");
        let cluster = Self { folder, programs, url };
        cluster.make(port)?;
        run(&mut cluster.pg_ctl(&["start", "--wait", "--silent"]))?;
        Ok(cluster)
    }

    /// A cluster that sorts text as people do, so that a comparison left to the database shows; without syncs, since
    /// nobody misses it after a power cut.
    fn make(&self, port: u16) -> Result<()> {
        if is_root()? {
            chown(&self.folder, Some(owner_id("-u")?), Some(owner_id("-g")?))?;
        }
        let mut initdb = self.program("initdb");
        initdb.args(["--auth=trust", "--encoding=UTF8", "--no-sync", "--username", OWNER]);
        initdb.args(["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]);
        run(initdb.arg("--pgdata").arg(self.data()).stdout(Stdio::null()))?;
        let mut settings = fs::OpenOptions::new().append(true).open(self.data().join("postgresql.conf"))?;
        let sockets = self.folder.display();
        Ok(write!(
            settings,
            "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{sockets}'\n\
             fsync = off\nmax_connections = 300\n"
        )?)
    }

    /// Where its data lies: what a test needs to stop it and start it again.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// `PATH` with PostgreSQL's own programs in it.
    pub fn path(&self) -> Result<std::ffi::OsString> {
        let path = env::var_os("PATH").unwrap_or_default();
        Ok(env::join_paths([self.programs.clone()].into_iter().chain(env::split_paths(&path)))?)
    }

    fn pg_ctl(&self, arguments: &[&str]) -> Command {
        let mut command = self.program("pg_ctl");
        command.arg("--pgdata").arg(self.data()).arg("--log").arg(self.folder.join("log")).args(arguments);
        command
    }

    /// One of PostgreSQL's programs, run as the cluster's owner.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if is_root().unwrap_or(false) {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", OWNER, "--regid", OWNER, "--init-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(&self.folder);
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stopped = run(&mut self.pg_ctl(&["stop", "--mode=immediate", "--silent"]));
        if stopped.and_then(|()| Ok(fs::remove_dir_all(&self.folder)?)).is_err() {
            println!("{} is left behind", self.folder.display());
        }
    }
}

/// The folder of the newest PostgreSQL's programs; Debian keeps them out of `PATH`.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    folders.filter(|folder| works(folder.join("initdb"), "--version")).max_by_key(|folder| version(folder))
}

fn version(programs: &Path) -> u32 {
    let version = programs.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    version.and_then(|version| version.parse().ok()).unwrap_or(0)
}

fn is_root() -> Result<bool> {
    Ok(output(Command::new("id").arg("-u"))?.trim() == "0")
}

fn owner_id(kind: &str) -> Result<u32> {
    Ok(output(Command::new("id").args([kind, OWNER]))?.trim().parse()?)
}
