//! Programs in a container: an exec of the engine, whose one connection carries input and output both ways.
//!
//! The engine answers the start with 101 and speaks raw bytes from then on. Without a terminal what it sends is framed
//! ([`Frames`]). The status is asked for once the stream has ended.

use hyper::{Method, StatusCode, header::HeaderValue};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

use super::{Docker, call::Caller};
use crate::{
    error::{Error, ErrorKind, Result},
    remote::{Feed, Program, Remote, Said, TerminalSize},
};

/// The best shell that the container has.
const SHELL: &str = "if command -v bash >/dev/null 2>&1; then exec bash; fi; exec sh";
const PIECE_BYTES: usize = 16 * 1024;
const HEADER_BYTES: usize = 8;
/// What is told of a program whose status the engine does not tell.
const UNKNOWN_STATUS: u32 = 255;

#[derive(Deserialize)]
struct Made {
    #[serde(rename = "Id")]
    id: String,
}

#[derive(Deserialize)]
struct Shown {
    #[serde(rename = "ExitCode")]
    exit_code: Option<i64>,
    #[serde(rename = "Running", default)]
    running: bool,
}

/// Starts a program in a container.
pub(super) async fn open(docker: &Docker, container: &str, program: Program) -> Result<Remote> {
    let caller = &docker.caller;
    let made = caller.post(&format!("/containers/{container}/exec"), Some(&wanted(program))).await?;
    let id = made.json::<Made>().await?.id;
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::new(ErrorKind::Malformed, "the engine gave an exec no id"));
    }
    let terminal = matches!(program, Program::Terminal(_));
    let start = json!({"Detach": false, "Tty": terminal});
    let stream = caller.upgraded(&format!("/exec/{id}/start"), &start).await?;
    if let Program::Terminal(size) = program {
        // Some engines size a terminal only once it is there; one of another size is still one.
        let _ = resize(caller, &id, size).await;
    }
    let (from, to) = tokio::io::split(stream);
    let caller = docker.caller.clone();
    Ok(Remote::driven(move |end| {
        let sized = (caller.clone(), id.clone());
        vec![
            tokio::spawn(async move { fed(to, end.input, &sized.0, &sized.1).await }),
            tokio::spawn(async move { heard(from, end.said, terminal, &caller, &id).await }),
        ]
    }))
}

fn wanted(program: Program) -> Value {
    match program {
        Program::Commands => json!({
            "AttachStdin": true, "AttachStdout": true, "AttachStderr": true, "Tty": false, "Cmd": ["sh"],
        }),
        Program::Terminal(_) => json!({
            "AttachStdin": true, "AttachStdout": true, "AttachStderr": true, "Tty": true,
            "Env": ["TERM=xterm-256color"], "Cmd": ["sh", "-c", SHELL],
        }),
    }
}

async fn resize(caller: &Caller, id: &str, TerminalSize { columns, rows }: TerminalSize) -> Result<()> {
    caller.post(&format!("/exec/{id}/resize?h={rows}&w={columns}"), None).await.map(drop)
}

async fn fed(
    mut stream: impl AsyncWriteExt + Unpin,
    mut input: mpsc::Receiver<Feed>,
    caller: &Caller,
    id: &str,
) {
    while let Some(feed) = input.recv().await {
        let passed = match feed {
            Feed::Input(bytes) => stream.write_all(&bytes).await,
            Feed::End => stream.shutdown().await,
            Feed::Resize(size) => {
                let _ = resize(caller, id, size).await;
                Ok(())
            }
        };
        if passed.is_err() {
            return;
        }
    }
}

async fn heard(
    mut stream: impl AsyncReadExt + Unpin,
    said: mpsc::Sender<Said>,
    terminal: bool,
    caller: &Caller,
    id: &str,
) {
    let mut frames = Frames::default();
    let mut piece = vec![0; PIECE_BYTES];
    // A stream that breaks ends like one that ends: the engine knows what became of the program.
    while let Ok(length @ 1..) = stream.read(&mut piece).await {
        let told = match terminal {
            true => vec![Said::Output(piece[..length].to_vec())],
            false => frames.take(&piece[..length]),
        };
        for told in told {
            if said.send(told).await.is_err() {
                return;
            }
        }
    }
    let shown =
        async { caller.call(Method::GET, &format!("/exec/{id}/json"), None).await?.json::<Shown>().await };
    let status = shown.await.ok().filter(|shown| !shown.running).and_then(|shown| shown.exit_code);
    let status = status.and_then(|status| u32::try_from(status).ok()).unwrap_or(UNKNOWN_STATUS);
    // Whoever asked may have gone.
    let _ = said.send(Said::Ended(status)).await;
}

/// Takes the framed stream of a program without a terminal apart: a header of eight bytes says which stream and how many
/// bytes follow (Engine API, "Attach to a container", stream format). Nothing but the header is ever kept.
#[derive(Default)]
struct Frames {
    header: Vec<u8>,
    left: usize,
    is_error: bool,
}

impl Frames {
    /// Takes the next bytes, cut anywhere.
    fn take(&mut self, mut bytes: &[u8]) -> Vec<Said> {
        let mut told = Vec::new();
        while !bytes.is_empty() {
            if self.left == 0 {
                let (head, rest) = bytes.split_at(bytes.len().min(HEADER_BYTES - self.header.len()));
                self.header.extend_from_slice(head);
                bytes = rest;
                if let [stream, _, _, _, a, b, c, d] = self.header[..] {
                    self.left = u32::from_be_bytes([a, b, c, d]) as usize;
                    self.is_error = stream == 2;
                    self.header.clear();
                }
            } else {
                let (piece, rest) = bytes.split_at(bytes.len().min(self.left));
                self.left -= piece.len();
                told.push(match self.is_error {
                    true => Said::Error(piece.to_vec()),
                    false => Said::Output(piece.to_vec()),
                });
                bytes = rest;
            }
        }
        told
    }
}

impl Caller {
    /// Calls for a stream of raw bytes.
    async fn upgraded(&self, path: &str, body: &Value) -> Result<TokioIo<hyper::upgrade::Upgraded>> {
        let headers = [("connection", "Upgrade"), ("upgrade", "tcp")];
        let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
        let reply = self.call_with(Method::POST, path, Some(body), &headers).await?;
        if reply.status() != StatusCode::SWITCHING_PROTOCOLS {
            let message = "the engine does not give the streams of a program";
            return Err(Error::new(ErrorKind::Malformed, message));
        }
        reply.upgraded().await.map(TokioIo::new)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    use super::Frames;
    use crate::remote::Said;

    fn joined(told: Vec<Said>) -> (Vec<u8>, Vec<u8>) {
        let (mut output, mut error) = (Vec::new(), Vec::new());
        for told in told {
            match told {
                Said::Output(bytes) => output.extend(bytes),
                Said::Error(bytes) => error.extend(bytes),
                Said::Ended(_) => unreachable!("frames do not end anything"),
            }
        }
        (output, error)
    }

    proptest! {
        #[test]
        fn frames_come_back_wherever_they_are_cut(
            pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)), 0..8),
            cut in 1usize..20,
        ) {
            let (mut wire, mut output, mut error) = (Vec::new(), Vec::new(), Vec::new());
            for (is_error, bytes) in &pieces {
                wire.extend([if *is_error { 2 } else { 1 }, 0, 0, 0]);
                wire.extend((bytes.len() as u32).to_be_bytes());
                wire.extend(bytes);
                if *is_error { &mut error } else { &mut output }.extend(bytes);
            }
            let mut frames = Frames::default();
            let told = wire.chunks(cut).flat_map(|bytes| frames.take(bytes)).collect();
            prop_assert_eq!(joined(told), (output, error));
        }

        #[test]
        fn no_bytes_make_it_fall_over_or_grow(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let mut frames = Frames::default();
            let (output, error) = joined(frames.take(&bytes));
            prop_assert!(output.len() + error.len() <= bytes.len() && frames.header.len() < 8);
        }
    }
}
