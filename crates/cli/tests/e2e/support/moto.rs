//! A stand-in for Amazon's S3, on a port of its own.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// What opens buckets: a stand-in takes any keys.
pub const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

/// A store of buckets. Dropped, it ends.
pub struct Moto {
    process: Child,
    url: String,
}

impl Moto {
    /// Starts the program in `ROADSTEAD_MOTO`, or the one in `PATH`. Where there is none the test says so and passes, but
    /// not in CI.
    pub fn start() -> Option<Self> {
        let program = std::env::var_os("ROADSTEAD_MOTO").unwrap_or_else(|| "moto_server".into());
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", "0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let Ok(mut process) = command.spawn() else {
            assert!(std::env::var_os("CI").is_none(), "CI needs moto_server");
            eprintln!("skipped: no moto_server to test against");
            return None;
        };
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            line.unwrap().split_once("Running on ").map(|(_, address)| address.trim().to_owned())
        });
        // It must never wait for somebody to read what it says.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { process, url: address.unwrap() })
    }

    /// Makes a bucket; gives what a server calls it.
    pub fn bucket(&self, name: &str, prefix: &str) -> String {
        ureq::put(format!("{}/{name}", self.url)).send_empty().unwrap();
        format!("s3://{name}/{prefix}?endpoint={}", self.url)
    }

    /// What lies in a bucket, as S3 lists it.
    pub fn list(&self, bucket: &str) -> String {
        let listed = ureq::get(format!("{}/{bucket}?list-type=2", self.url)).call();
        listed.unwrap().body_mut().read_to_string().unwrap()
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
