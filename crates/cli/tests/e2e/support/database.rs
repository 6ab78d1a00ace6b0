//! A PostgreSQL database for one server, where `ROADSTEAD_TEST_DATABASE` names a cluster to make it in.

use std::{
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

/// A fresh database. Dropped, it is dropped there, too.
pub struct Database {
    admin: String,
    name: String,
}

impl Database {
    /// A fresh database, unless the tests run on the embedded one.
    pub fn create() -> Option<Self> {
        std::env::var("ROADSTEAD_TEST_DATABASE").ok().map(|admin| Self::create_in(&admin))
    }

    /// A fresh database in the cluster of this URL.
    pub fn create_in(admin: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let database = Self { admin: admin.to_owned(), name: format!("e2e_{}_{number}", std::process::id()) };
        // An earlier process of the same number may have been killed before it cleaned up.
        database.drop_if_there();
        psql(admin, &format!("CREATE DATABASE {}", database.name));
        database
    }

    /// The URL that a server is given.
    pub fn url(&self) -> String {
        format!("{}/{}", self.admin.rsplit_once('/').unwrap().0, self.name)
    }

    fn drop_if_there(&self) {
        psql(&self.admin, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.drop_if_there();
        }
    }
}

/// Runs a statement; panics unless it succeeds.
fn psql(url: &str, statement: &str) {
    let output =
        Command::new("psql").args(["--no-psqlrc", "--quiet", "--command", statement, url]).output().unwrap();
    assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
}
