//! A conversation with a plain shell on a machine: a script goes there, and how it ended and what it printed come back.
//!
//! ```text
//!   { ( SCRIPT ) </dev/null; printf 'MARK %s' $?; }   -->   sh   -->   output, MARK 0
//! ```
//!
//! A shell may read ahead what it is sent. So each script is one group of commands, which is read to its end before it
//! is run, and nothing more is sent until its mark has come back. The mark is random: no script can print it by
//! accident. What a script prints is bounded; scripts have no input, and only words of our own in them, those of others
//! quoted.

use std::{path::Path, time::Duration};

use roadstead_providers::{Feed, Remote, Said};
use tokio::{
    fs::File,
    io::AsyncReadExt,
    sync::mpsc::Sender,
    time::{Instant, timeout, timeout_at},
};

use crate::{Error, Result, random};

/// How much of what a script prints is kept, in bytes.
const MOST_OUTPUT: usize = 64 * 1024;
/// How much of a file is sent at once, in bytes.
const PIECE: usize = 32 * 1024;
/// How long one piece of a file may take to be taken.
const PIECE_WITHIN: Duration = Duration::from_secs(60);

/// A shell that waits for scripts.
#[derive(Debug)]
pub struct RemoteShell {
    remote: Remote,
    input: Sender<Feed>,
    mark: String,
    output: Vec<u8>,
    errors: Vec<u8>,
}

/// How a script ended, and what it printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status that it ended with.
    pub status: u32,
    /// What it printed to its standard output.
    pub output: String,
    /// What it printed to its standard error.
    pub errors: String,
}

impl Answer {
    /// The last thing that it said, for an error message.
    pub fn last_words(&self) -> String {
        let said = if self.errors.trim().is_empty() { &self.output } else { &self.errors };
        let mut words = said.trim().lines().rev().take(3).collect::<Vec<_>>();
        words.reverse();
        format!("{:.500}", words.join("; "))
    }
}

/// A word of somebody else's as a shell reads it back: one word, whatever is in it.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

impl RemoteShell {
    /// Takes over a shell that was just started.
    pub fn new(remote: Remote) -> Result<Self> {
        let input = remote.input();
        let mark = format!("roadstead-{}", random::id()?);
        Ok(Self { remote, input, mark, output: Vec::new(), errors: Vec::new() })
    }

    /// Goes on as root where that takes no password. The shell is then another one.
    pub async fn become_root(&mut self, within: Duration) -> Result<()> {
        let mark = &self.mark;
        self.feed(format!(
            "{{ printf '\\n%s 0\\n' {mark}
             if [ \"$(id -u)\" != 0 ] && sudo -n true </dev/null >/dev/null 2>&1; then exec sudo -n sh; fi; }}\n"
        ))
        .await?;
        self.answer(Instant::now() + within).await.map(drop)
    }

    /// Runs a script.
    pub async fn run(&mut self, script: &str, within: Duration) -> Result<Answer> {
        let mark = &self.mark;
        self.feed(format!("{{ (\n{script}\n) </dev/null; printf '\\n%s %s\\n' {mark} \"$?\"; }}\n")).await?;
        self.answer(Instant::now() + within).await
    }

    /// Sends a file of `size` bytes to a path there, which is made anew; `told` hears how much of it was sent. Whether
    /// what arrived is what was sent is for the caller to see. Where the file cannot be written, nothing of it is ever read
    /// as a script: the shell is of no use then.
    pub async fn send_file(
        &mut self,
        file: &Path,
        (size, path): (u64, &str),
        told: impl Fn(u64) + Send,
    ) -> Result<Answer> {
        let mut file = File::open(file).await?;
        let (mark, path) = (&self.mark, quoted(path));
        self.feed(format!(
            "{{ printf '\\n%s 0\\n' {mark}
             if ( umask 077; head -c {size} >{path} ); then printf '\\n%s 0\\n' {mark}
             else printf '\\n%s 1\\n' {mark}; exec cat >/dev/null; fi; }}\n"
        ))
        .await?;
        self.answer(Instant::now() + PIECE_WITHIN).await?;
        let mut sent = 0;
        while sent < size {
            let mut piece = vec![0; PIECE.min(usize::try_from(size - sent).unwrap_or(PIECE))];
            let read = file.read(&mut piece).await?;
            if read == 0 {
                return Err(Error::internal("The program that is sent has become shorter meanwhile."));
            }
            piece.truncate(read);
            self.send(Feed::Input(piece)).await?;
            sent += read as u64;
            told(sent);
        }
        self.answer(Instant::now() + PIECE_WITHIN).await
    }

    async fn feed(&mut self, text: String) -> Result<()> {
        self.send(Feed::Input(text.into_bytes())).await
    }

    async fn send(&mut self, feed: Feed) -> Result<()> {
        match timeout(PIECE_WITHIN, self.input.send(feed)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(self.lost()),
        }
    }

    /// Reads until the next mark.
    async fn answer(&mut self, until: Instant) -> Result<Answer> {
        loop {
            if let Some(answer) = self.marked() {
                return Ok(answer);
            }
            let said = timeout_at(until, self.remote.said()).await;
            match said.map_err(|_| Error::conflict("The machine took too long to answer."))? {
                Some(Said::Output(bytes)) => keep(&mut self.output, &bytes),
                Some(Said::Error(bytes)) => keep(&mut self.errors, &bytes),
                Some(Said::Ended(_)) => {}
                None => return Err(self.lost()),
            }
        }
    }

    /// What stands before the next mark, if that has come.
    fn marked(&mut self) -> Option<Answer> {
        let text = String::from_utf8_lossy(&self.output);
        let begun = format!("\n{} ", self.mark);
        let (before, after) = text.split_once(&begun)?;
        let (status, rest) = after.split_once('\n')?;
        let answer = Answer {
            status: status.trim().parse().unwrap_or(255),
            output: before.to_owned(),
            errors: String::from_utf8_lossy(&self.errors).into_owned(),
        };
        self.output = rest.as_bytes().to_vec();
        self.errors.clear();
        Some(answer)
    }

    fn lost(&self) -> Error {
        let errors = String::from_utf8_lossy(&self.errors);
        let said = errors.trim();
        let message = match said.is_empty() {
            true => "The shell on the machine has ended.".to_owned(),
            false => format!("The shell on the machine has ended: {said:.500}"),
        };
        Error::conflict(message)
    }
}

/// Keeps the end of what is printed.
fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    kept.extend_from_slice(bytes);
    let extra = kept.len().saturating_sub(MOST_OUTPUT);
    kept.drain(..extra);
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::{prop_assert_eq, proptest};

    use super::{MOST_OUTPUT, keep, quoted};

    #[test]
    fn only_the_end_of_much_is_kept() {
        let mut kept = Vec::new();
        for _ in 0..10 {
            keep(&mut kept, &[b'a'; MOST_OUTPUT / 3]);
        }
        keep(&mut kept, b"end");
        assert_eq!((kept.len(), &kept[MOST_OUTPUT - 3..]), (MOST_OUTPUT, &b"end"[..]));
    }

    proptest! {
        #[test]
        fn a_shell_reads_a_quoted_word_as_it_was(word in "[^\0]{0,40}") {
            let script = format!("printf %s {}", quoted(&word));
            let output = Command::new("sh").arg("-c").arg(&script).output().unwrap();
            prop_assert_eq!(output.stdout, word.into_bytes());
        }
    }
}
