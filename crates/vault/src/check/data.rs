//! Every blob of every pack: read, decrypted, unpacked and hashed.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use crossbeam_channel::{Receiver, bounded, unbounded};

use super::packs::Packs;
use super::sound::Opener;
use super::{CheckOptions, CheckReport, ProblemKind};
use crate::cancel::Cancel;
use crate::error::{ErrorKind, Result};
use crate::files::Files;
use crate::id::Id;
use crate::index::{Index, Location};
use crate::monitor::Monitor;
use crate::pack::{self, BlobKind};
use crate::progress::Counters;
use crate::store::{FileKind, Name};
use crate::threads::threads;
use crate::threads::unpoisoned;

/// What reading one pack found.
#[derive(Default)]
struct Finding {
    message: Option<String>,
    /// Blobs that are sound although the pack is not.
    sound: Vec<(BlobKind, Id)>,
}

/// Whether a pack falls to a part.
fn is_in(pack: &Id, part: Option<(u32, u32)>) -> bool {
    let number = u32::from_be_bytes([pack.0[0], pack.0[1], pack.0[2], pack.0[3]]);
    part.is_none_or(|(part, parts)| parts < 2 || number % parts == part % parts)
}

/// Reads packs, all or a part of them, and marks those with anything wrong.
pub(super) fn verify(
    files: &Files,
    index: &Index,
    packs: &mut Packs,
    options: &CheckOptions,
    monitor: &dyn Monitor,
    cancel: &Cancel,
    report: &mut CheckReport,
) -> Result<()> {
    let counters =
        Counters::guessing(packs.present.len() as u64, packs.present.iter().map(|pack| pack.1).sum());
    let blobs = by_pack(index);
    let (queue, waiting) = unbounded();
    for pack in packs.present.iter().filter(|pack| is_in(&pack.0, options.part)) {
        // There is room and a receiver, so this cannot fail.
        let _ = queue.send(*pack);
    }
    drop(queue);
    let findings = Mutex::new(Vec::new());
    let (running, ended) = bounded(0);
    let outcome = thread::scope(|scope| {
        scope.spawn(|| counters.report(monitor, &ended));
        let work = || read_packs(files, &blobs, &waiting, &findings, &counters, cancel);
        let workers: Vec<_> = (0..threads(options.threads)).map(|_| scope.spawn(work)).collect();
        let join = |worker: thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        let outcome = workers.into_iter().map(join).fold(Ok(()), Result::and);
        drop(running);
        outcome
    });
    outcome?;
    report.bytes_read = counters.bytes_done.load(Relaxed);
    for (pack, finding) in unpoisoned(&findings).drain(..) {
        packs.mark(pack, ProblemKind::PackDamaged, &finding.message.unwrap_or_default(), report);
        packs.sound_in_bad.extend(finding.sound.into_iter().map(|(kind, id)| (pack, kind, id)));
    }
    Ok(())
}

fn by_pack(index: &Index) -> HashMap<Id, Vec<Location>> {
    let mut packs: HashMap<Id, Vec<Location>> = HashMap::new();
    index.iter().for_each(|location| packs.entry(location.pack).or_default().push(location));
    packs
}

fn read_packs(
    files: &Files,
    blobs: &HashMap<Id, Vec<Location>>,
    waiting: &Receiver<(Id, u64)>,
    findings: &Mutex<Vec<(Id, Finding)>>,
    counters: &Counters,
    cancel: &Cancel,
) -> Result<()> {
    let mut opener = Opener::default();
    for (pack, size) in waiting {
        cancel.check()?;
        let bytes = match files.store.read(FileKind::Pack, &Name(pack)) {
            Ok(bytes) => bytes,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Damaged | ErrorKind::Io) => {
                let finding =
                    Finding { message: Some(format!("the pack cannot be read: {e}")), sound: Vec::new() };
                unpoisoned(findings).push((pack, finding));
                continue;
            }
            Err(e) => return Err(e),
        };
        let listed = blobs.get(&pack).map_or(&[][..], Vec::as_slice);
        let finding = verify_pack(files, pack, &bytes, listed, &mut opener);
        if finding.message.is_some() {
            unpoisoned(findings).push((pack, finding));
        }
        for (counter, count) in [(&counters.files_searched, 1), (&counters.bytes_searched, size)] {
            counter.fetch_add(count, Relaxed);
        }
        counters.bytes_done.fetch_add(bytes.len() as u64, Relaxed);
    }
    Ok(())
}

/// Verifies name, header and every blob the index lists.
fn verify_pack(files: &Files, pack: Id, bytes: &[u8], listed: &[Location], opener: &mut Opener) -> Finding {
    let mut message = (Id::of(bytes) != pack).then(|| "the pack does not match its name".to_owned());
    match pack::parse(bytes, &files.key) {
        Err(error) => message = message.or(Some(error.to_string())),
        Ok(header) => {
            let foreign = listed.iter().any(|location| !header.contains(&location.blob));
            message = message.or(foreign.then(|| "the index does not fit the pack's header".to_owned()));
        }
    }
    let verdicts = opener.sound(&files.key, bytes, listed);
    let broken = verdicts.iter().filter(|sound| !**sound).count();
    let sound = listed.iter().zip(verdicts).filter(|(_, sound)| *sound);
    let sound = sound.map(|(location, _)| (location.blob.kind, location.blob.id)).collect();
    if broken > 0 {
        message = Some(format!("{broken} of the pack's {} blobs are damaged", listed.len()));
    }
    Finding { message, sound }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pack_falls_to_one_part_and_parts_are_alike() {
        let ids: Vec<Id> = (0..4000_u32).map(|n| Id::of(&n.to_le_bytes())).collect();
        let mut total = 0;
        for part in 0..4 {
            let count = ids.iter().filter(|id| is_in(id, Some((part, 4)))).count();
            assert!((850..1150).contains(&count), "{count}");
            total += count;
        }
        assert_eq!(total, ids.len());
        assert!(ids.iter().all(|id| is_in(id, None) && is_in(id, Some((0, 1))) && is_in(id, Some((0, 0)))));
    }
}
