//! Random bytes from the operating system, fetched in batches: a nonce for each of a million small blobs
//! would otherwise cost a system call each.

use std::cell::RefCell;

use crate::error::{Error, ErrorKind, Result};

const BATCH: usize = 4096;

thread_local! {
    static POOL: RefCell<(usize, [u8; BATCH])> = const { RefCell::new((BATCH, [0; BATCH])) };
}

/// Fills `out`, at most 4096 bytes, with bytes that were never handed out before.
pub(crate) fn fill(out: &mut [u8]) -> Result<()> {
    POOL.with_borrow_mut(|(used, pool)| {
        if *used + out.len() > BATCH {
            getrandom::fill(pool)
                .map_err(|e| Error::new(ErrorKind::Io, "reading random bytes").with_source(e.to_string()))?;
            *used = 0;
        }
        let taken = &mut pool[*used..*used + out.len()];
        out.copy_from_slice(taken);
        taken.fill(0);
        *used += out.len();
        Ok(())
    })
}

/// An array of random bytes.
pub(crate) fn array<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}
