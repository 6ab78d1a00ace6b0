//! Agents that only play at backing up, for benchmarks of the server: keys, enrolment, link, results on disk and
//! acknowledgements are those of any agent, and many of them live in one process. Made up is what a job does: it takes
//! its time, opens no vault and leaves no snapshot.
//!
//! Every agent needs a key of its own, and two thousand moduli would take longer to find than all that is measured. So
//! the keys share one, under public exponents of their own: each opens what is encrypted to it.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use getrandom::SysRng;
use roadstead_api::{
    link::{Job, RunRef},
    run::{Progress, RunState},
};
use rsa::{
    BoxedUint, RsaPrivateKey,
    pkcs8::{EncodePrivateKey, LineEnding},
    rand_core::UnwrapErr,
    traits::PrivateKeyParts,
};
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    Reconnect,
    data_dir::DataDir,
    desk::Desk,
    durable,
    error::{Error, ErrorKind, Result},
    identity::Identity,
    link,
    log::Log,
    results::{Results, idle, milliseconds, now_ms},
    runs::Runs,
};

const BITS: usize = 2048;
/// How many exponents are tried for one key: those that divide a prime less one do not do, and they are few.
const TRIES: u64 = 16;
/// All exponents are beyond this one, the usual.
const USUAL_EXPONENT: u64 = 65_537;

/// What makes the keys of many agents.
#[derive(Debug)]
pub struct Keys(RsaPrivateKey);

impl Keys {
    /// A modulus to make them of. Takes up to seconds.
    pub fn new() -> Result<Self> {
        RsaPrivateKey::new(&mut UnwrapErr(SysRng), BITS).map(Self).map_err(failed)
    }

    /// Puts the key of this number into an agent's folder, which is made; [`crate::enroll()`] finds it there.
    ///
    /// Errors: [`ErrorKind::Key`], [`ErrorKind::Io`].
    pub fn place(&self, number: u32, data_dir: &Path) -> Result<()> {
        let data = DataDir::new(data_dir);
        data.create()?;
        let first = USUAL_EXPONENT + 2 + 2 * TRIES * u64::from(number);
        let key = (0..TRIES)
            .map(|tried| self.with_exponent(first + 2 * tried))
            .find_map(Result::ok)
            .ok_or_else(|| Error::new(ErrorKind::Key, "no exponent does"))?;
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(failed)?;
        durable::write(&data.key(), pem.as_bytes()).map_err(|e| Error::io("cannot write a key", e))
    }

    fn with_exponent(&self, exponent: u64) -> Result<RsaPrivateKey> {
        RsaPrivateKey::from_primes(self.0.primes().to_vec(), BoxedUint::from(exponent)).map_err(failed)
    }
}

fn failed(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Key, "cannot make a key").caused_by(source)
}

/// What an agent tells whoever measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It was sent a run.
    Begun(RunRef, SystemTime),
    /// The server has acknowledged the run's result.
    Recorded(RunRef, SystemTime),
}

/// Is an enrolled agent until the future is dropped. Each run takes as long as `lasts`, and ends well.
///
/// Errors: [`ErrorKind::NotEnrolled`], [`ErrorKind::Busy`], [`ErrorKind::Io`].
pub async fn run(data_dir: PathBuf, lasts: Duration, tell: UnboundedSender<Told>) -> Result<()> {
    let data = DataDir::new(data_dir);
    let identity = Identity::load(&data)?;
    let _lock = data.lock_agent()?;
    let results = Results::open(data.results()).map_err(|e| Error::io("cannot make a folder", e))?;
    let runs = Runs::new(results);
    let desk = Desk::new(data, Log::new(None, |_| ()));
    let link = link::keep(&identity, &runs, &desk, Reconnect::default());
    let jobs = async {
        while let Some(job) = runs.next().await {
            play(&runs, &job, lasts, &tell).await;
        }
    };
    tokio::join!(link, jobs);
    Ok(())
}

async fn play(runs: &Runs, job: &Job, lasts: Duration, tell: &UnboundedSender<Told>) {
    let run = job.run;
    let started_ms = now_ms();
    // Nobody may measure any more.
    let _ = tell.send(Told::Begun(run, SystemTime::now()));
    let progress = Progress { files_searched: 1000, bytes_searched: 1 << 30, ..Progress::default() };
    runs.tell(RunState::InProgress, progress.clone());
    tokio::time::sleep(lasts).await;
    let mut changes = runs.changes();
    let duration_ms = milliseconds(lasts);
    let outcome = idle(RunState::Completed, None);
    runs.end(run, Some(roadstead_api::link::Outcome { started_ms, duration_ms, progress, ..outcome }));
    while runs.ended().contains(&run) && changes.changed().await.is_ok() {}
    let _ = tell.send(Told::Recorded(run, SystemTime::now()));
}

#[cfg(test)]
mod tests {
    use rsa::{Oaep, RsaPublicKey, rand_core::UnwrapErr};
    use sha2::Sha256;

    use super::{Keys, SysRng};
    use crate::key::AgentKey;

    #[test]
    fn each_key_is_another_and_opens_what_is_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::new().unwrap();
        let mut found = Vec::new();
        for number in [0, 1, 1999] {
            let place = folder.path().join(number.to_string());
            keys.place(number, &place).unwrap();
            let key = AgentKey::load_or_create(&place.join("key.pem")).unwrap();
            let public: RsaPublicKey =
                rsa::pkcs8::DecodePublicKey::from_public_key_pem(&key.public_pem().unwrap()).unwrap();
            let sealed = public.encrypt(&mut UnwrapErr(SysRng), Oaep::<Sha256>::new(), b"secret").unwrap();
            assert_eq!(key.decrypt(&sealed).unwrap(), b"secret");
            found.push(key.fingerprint().unwrap());
        }
        found.dedup();
        assert_eq!(found.len(), 3);
    }
}
