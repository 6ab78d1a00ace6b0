//! The event stream: what changes on the server, as it happens.
//!
//! The messages are server-sent events; the part of that form that the server uses is read here, and whatever else
//! comes is passed over, as the form demands (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use roadstead_api::{
    BASE_PATH,
    event::{CHANGED, Event, EventQuery, PATH, RESYNC},
};

use crate::{
    Client,
    error::{Error, ErrorKind, Result},
    transport::Reply,
};

/// The longest line that is read, in bytes.
const MAX_LINE: usize = 1 << 20;
/// How long to wait before a stream that broke off is opened again.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a server may be away before waiting for it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What comes from the event stream.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every notice is of a change, and it is handed on at once"
)]
pub enum Notice {
    /// Something changed.
    Changed(Event),
    /// Something was missed: what was read from the server before may be stale.
    Resync,
}

/// The server's events, as they happen. A stream that breaks off is opened again where it was left.
pub struct Events {
    client: Client,
    query: EventQuery,
    reply: Option<Reply>,
    parser: Parser,
    waiting: VecDeque<Notice>,
    answered: Instant,
    ended: bool,
}

impl Client {
    /// Opens the event stream. When this returns, nothing that happens from now on is missed. Talks to the server.
    pub async fn events(&self) -> Result<Events> {
        self.find_events(EventQuery::default()).await
    }

    /// The same for those events that a query picks. Talks to the server.
    pub async fn find_events(&self, query: EventQuery) -> Result<Events> {
        let mut events = Events {
            client: self.clone(),
            query,
            reply: None,
            parser: Parser::default(),
            waiting: VecDeque::new(),
            answered: Instant::now(),
            ended: false,
        };
        events.open().await?;
        Ok(events)
    }
}

impl Events {
    /// The next notice. Waits as long as nothing happens; a server that is away for less than a minute is waited for,
    /// too. An error is the end, such as when the user may no longer listen.
    pub async fn next(&mut self) -> Result<Notice> {
        let next = self.go_on().await;
        self.ended = next.is_err();
        next
    }

    /// Whether the last notice was an error.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    async fn go_on(&mut self) -> Result<Notice> {
        loop {
            if let Some(notice) = self.waiting.pop_front() {
                return Ok(notice);
            }
            if self.read().await? {
                self.answered = Instant::now();
            } else {
                self.again().await?;
            }
        }
    }

    /// Reads what comes; says whether the stream goes on.
    async fn read(&mut self) -> Result<bool> {
        let Some(reply) = &mut self.reply else { return Ok(false) };
        let Ok(Some(chunk)) = reply.chunk().await else { return Ok(false) };
        for message in self.parser.take(&chunk)? {
            self.waiting.extend(message.notice()?);
        }
        Ok(true)
    }

    async fn again(&mut self) -> Result<()> {
        self.reply = None;
        tokio::time::sleep(PAUSE).await;
        match self.open().await {
            Err(error) if !error.is_temporary() || self.answered.elapsed() > PATIENCE => Err(error),
            _ => Ok(()),
        }
    }

    /// The first message of a stream tells whether anything was missed; it is waited for.
    async fn open(&mut self) -> Result<()> {
        self.parser.restart();
        let mut reply = self.stream().await?;
        loop {
            let Some(chunk) = reply.chunk().await? else {
                return Err(Error::new(ErrorKind::Unreachable, "the event stream ended before it began"));
            };
            let messages = self.parser.take(&chunk)?;
            if !messages.is_empty() {
                for message in messages {
                    self.waiting.extend(message.notice()?);
                }
                self.reply = Some(reply);
                return Ok(());
            }
        }
    }

    async fn stream(&self) -> Result<Reply> {
        let path = format!("{BASE_PATH}{PATH}");
        self.client.raw_after(&path, &self.query, self.parser.place.as_deref()).await
    }
}

/// A message of the stream.
#[derive(Debug, Default, PartialEq)]
struct Message {
    name: String,
    data: String,
}

impl Message {
    fn notice(self) -> Result<Option<Notice>> {
        let no_event =
            |e| Error::new(ErrorKind::Protocol, "the server's event is not what it should be").caused_by(e);
        match self.name.as_str() {
            RESYNC => Ok(Some(Notice::Resync)),
            name if name.ends_with(CHANGED) => {
                serde_json::from_str(&self.data).map(|event| Some(Notice::Changed(event))).map_err(no_event)
            }
            // `ready`, and what a newer server may say.
            _ => Ok(None),
        }
    }
}

/// Puts messages together from pieces that end anywhere.
#[derive(Debug, Default)]
struct Parser {
    line: Vec<u8>,
    message: Message,
    /// The place of the last message.
    place: Option<String>,
}

impl Parser {
    /// What was cut off is not gone on with.
    fn restart(&mut self) {
        self.line.clear();
        self.message = Message::default();
    }

    fn take(&mut self, piece: &[u8]) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        for part in piece.split_inclusive(|&byte| byte == b'\n') {
            let (text, ends) = part.strip_suffix(b"\n").map_or((part, false), |text| (text, true));
            if self.line.len() + text.len() > MAX_LINE {
                return Err(Error::new(ErrorKind::Protocol, "a line of the event stream has no end"));
            }
            self.line.extend_from_slice(text);
            if ends {
                messages.extend(self.end_line());
            }
        }
        Ok(messages)
    }

    fn end_line(&mut self) -> Option<Message> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line)).into_owned();
        if line.is_empty() {
            let message = std::mem::take(&mut self.message);
            return (!message.data.is_empty()).then_some(message);
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.message.name),
            // The server's data are a line each.
            "data" => value.clone_into(&mut self.message.data),
            "id" if value.bytes().all(|byte| byte.is_ascii_graphic()) => self.place = Some(value.to_owned()),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use roadstead_api::event::{Event, READY};

    use super::{MAX_LINE, Message, Notice, Parser};

    fn message(name: &str, data: &str) -> Message {
        Message { name: name.into(), data: data.into() }
    }

    fn stream() -> (String, Event) {
        let event = Event::new("backup", 7, "state").state("queued");
        let json = serde_json::to_string(&event).unwrap();
        let text = format!(
            "id: a-1\nevent: {READY}\ndata: {{}}\n\n:\n\nretry: 1\n\nid:a-2\r\nevent: backup.changed\r\ndata: {json}\r\n\r\n"
        );
        (text, event)
    }

    #[test]
    fn messages_are_read_wherever_they_are_cut() {
        let (text, event) = stream();
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let found: Vec<_> =
                text.as_bytes().chunks(size).flat_map(|piece| parser.take(piece).unwrap()).collect();
            assert_eq!(found.len(), 2);
            assert_eq!(parser.place.as_deref(), Some("a-2"));
            let notices: Vec<_> = found.into_iter().filter_map(|m| m.notice().unwrap()).collect();
            assert_eq!(notices, [Notice::Changed(event.clone())]);
        }
    }

    #[test]
    fn what_is_no_event_is_an_error_and_what_is_new_is_passed_over() {
        assert_eq!(message("resync", "{}").notice().unwrap(), Some(Notice::Resync));
        assert_eq!(message("other", "x").notice().unwrap(), None);
        assert!(message("backup.changed", "{}").notice().is_err());
        let mut parser = Parser::default();
        assert!(parser.take(&vec![b'x'; MAX_LINE]).is_ok());
        assert!(parser.take(b"x").is_err());
    }

    proptest! {
        #[test]
        fn whatever_comes_is_no_panic(pieces in proptest::collection::vec(any::<Vec<u8>>(), 0..8)) {
            let mut parser = Parser::default();
            for piece in pieces {
                for message in parser.take(&piece).unwrap() {
                    let _ = message.notice();
                }
            }
        }
    }
}
