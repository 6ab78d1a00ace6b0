//! The WebSocket of a shell. Two ways that do not wait for each other lead through it: what is typed, and what is shown.

use std::{sync::Arc, time::Duration};

use axum::{
    RequestExt, Router,
    extract::{
        Path, Request, State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    response::Response,
    routing::get,
};
use bytes::Bytes;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use roadstead_api::{
    BASE_PATH, Endpoint,
    id::MachineId,
    shell::{MAX_MESSAGE_BYTES, MachineShellOpen, ShellNotice, ShellRequest, ShellSize},
};
use roadstead_providers::{Feed, Remote, Said};
use tokio::{
    sync::mpsc::Sender,
    time::{interval, timeout},
};

use super::{
    presented,
    problem::problem_response,
    routes::{caller, query},
};
use crate::{
    Error, ErrorKind, Result,
    app::App,
    auth::{Actor, Presented},
    ops::{
        Context,
        shell::{Shell, terminal_size},
    },
};

/// How often the client is asked for a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// After how long without one it is gone; nor may it take longer for a message.
const SILENCE: Duration = Duration::from_secs(90);
/// How often the caller's rights are looked at again, in heartbeats.
const LOOK_AGAIN: u32 = 3;

/// The route of shells.
pub fn route() -> Router<Arc<App>> {
    Router::new().route(&format!("{BASE_PATH}{}", MachineShellOpen::PATH), get(connect))
}

async fn connect(State(app): State<Arc<App>>, Path(id): Path<String>, request: Request) -> Response {
    open(app, MachineId(id), request).await.unwrap_or_else(|error| problem_response(&error, None))
}

async fn open(app: Arc<App>, id: MachineId, mut request: Request) -> Result<Response> {
    let presented =
        presented::by_anyone(request.method(), request.headers(), request.extensions(), &app.public_url)?;
    let context = caller(app, &request).await?;
    let shell = Shell::on(context, &id).await?;
    let upgrade = request.extract_parts::<WebSocketUpgrade>().await;
    let upgrade = upgrade.map_err(|e| Error::invalid(format!("This is a WebSocket: {}.", e.body_text())))?;
    let size: ShellSize = query(&mut request.into_parts().0).await?;
    terminal_size(size)?;
    let upgrade = upgrade.max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_MESSAGE_BYTES);
    Ok(upgrade.on_upgrade(move |socket| serve(shell, presented, size, socket)))
}

type Out = SplitSink<WebSocket, Message>;

async fn serve(shell: Shell, presented: Presented, size: ShellSize, socket: WebSocket) {
    let (mut out, mut back) = socket.split();
    let notice = match shell.open(size).await {
        Ok(mut remote) => {
            let input = remote.input();
            tokio::select! {
                notice = show(shell.context(), &presented, &mut remote, &mut out) => notice,
                () = hear(&mut back, &input) => failed("The client is gone."),
                () = shell.context().ending() => failed("The server is ending."),
            }
        }
        Err(error) => failed(error.message),
    };
    // It may be gone.
    let _ = tell(&mut out, &notice).await;
    let _ = timeout(SILENCE, out.close()).await;
    shell.close().await;
}

fn failed(message: impl Into<String>) -> ShellNotice {
    ShellNotice::Failed { message: message.into() }
}

/// Passes on what the terminal shows, until it ends.
async fn show(context: &Context, presented: &Presented, remote: &mut Remote, out: &mut Out) -> ShellNotice {
    let (mut beat, mut beats, mut ended) = (interval(HEARTBEAT), 0_u32, None);
    if tell(out, &ShellNotice::Opened).await.is_none() {
        return failed("The client is gone.");
    }
    loop {
        let message = tokio::select! {
            said = remote.said() => match said {
                Some(Said::Output(bytes) | Said::Error(bytes)) => Message::Binary(bytes.into()),
                // Some of what was shown may yet come.
                Some(Said::Ended(status)) => {
                    ended = Some(status);
                    continue;
                }
                None => return match ended {
                    Some(status) => ShellNotice::Ended { status },
                    None => failed("The connection to the machine was lost."),
                },
            },
            _ = beat.tick() => {
                beats += 1;
                if beats.is_multiple_of(LOOK_AGAIN) && !may_go_on(context, presented).await {
                    return failed("The session has ended, or its rights have.");
                }
                Message::Ping(Bytes::new())
            }
        };
        if send(out, message).await.is_none() {
            return failed("The client is gone.");
        }
    }
}

/// Whether whoever opened the shell could do so still.
async fn may_go_on(context: &Context, presented: &Presented) -> bool {
    match context.authenticate(presented).await {
        Ok(Actor::User(user) | Actor::Session(user, _)) => {
            Context::new(context.app.clone(), user, None).authorize::<MachineShellOpen>().is_ok()
        }
        Ok(Actor::Agent(_)) => false,
        // A database that does not answer is no reason to end anything.
        Err(error) => error.kind != ErrorKind::Unauthorized,
    }
}

/// Passes on what is typed, until the client is gone.
async fn hear(back: &mut SplitStream<WebSocket>, input: &Sender<Feed>) {
    loop {
        let feed = match timeout(SILENCE, back.next()).await {
            Ok(Some(Ok(Message::Binary(bytes)))) => Feed::Input(bytes.into()),
            Ok(Some(Ok(Message::Text(text)))) => match asked(&text) {
                Some(feed) => feed,
                None => return,
            },
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => continue,
            _ => return,
        };
        // A program that has ended takes nothing; how it ended is told the other way.
        let _ = input.send(feed).await;
    }
}

fn asked(text: &str) -> Option<Feed> {
    match serde_json::from_str(text).ok()? {
        ShellRequest::Resize(size) => terminal_size(size).ok().map(Feed::Resize),
    }
}

async fn tell(out: &mut Out, notice: &ShellNotice) -> Option<()> {
    send(out, Message::Text(serde_json::to_string(notice).ok()?.into())).await
}

async fn send(out: &mut Out, message: Message) -> Option<()> {
    timeout(SILENCE, out.send(message)).await.ok()?.ok()
}
