//! `roadstead events`: what changes on the server, as it happens.

use clap::Args;
use roadstead_client::{
    Notice,
    api::event::{Event, EventQuery, RESYNC},
};
use serde_json::json;

use crate::{
    error::{Exit, Result},
    human,
    session::Session,
};

/// Which events to print.
#[derive(Args, Debug)]
#[command(
    after_help = "With -o json each event is a line of its own, as soon as it happens: noun, id, what, at, and where there \
                  is one the new state. A line {\"what\": \"resync\"} says that something was missed: read again what \
                  you keep.\n\nExample:\n  roadstead events\n  roadstead events --noun backup --noun restore -o json"
)]
pub struct EventArgs {
    /// Only those of this noun, such as backup, agent or machine; may be given more than once.
    #[arg(long, value_name = "NOUN")]
    noun: Vec<String>,
    /// End after so many.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

/// Prints events until there are enough, or the server will not go on.
pub async fn run(args: EventArgs, session: &Session) -> Result<Exit> {
    let noun = (!args.noun.is_empty()).then(|| args.noun.join(","));
    let mut events = session.client.find_events(EventQuery { noun }).await?;
    session.output.say("Waiting for events; Ctrl-C ends this.");
    let mut printed = 0;
    while args.limit.is_none_or(|limit| printed < limit) {
        let notice = events.next().await?;
        if session.output.is_for_people() {
            session.output.text(&sentence(&notice))?;
        } else {
            session.output.line(&match &notice {
                Notice::Changed(event) => json!(event),
                Notice::Resync => json!({ "what": RESYNC }),
            })?;
        }
        printed += u64::from(matches!(notice, Notice::Changed(_)));
    }
    Ok(Exit::Done)
}

fn sentence(notice: &Notice) -> String {
    let Notice::Changed(Event { noun, id, what, state, progress, at }) = notice else {
        return "Something was missed here.".to_owned();
    };
    let mut text = format!("{at:.0}  {noun} {id}  {}", state.as_ref().unwrap_or(what));
    if let Some(progress) = progress {
        let (files, bytes) = (human::count(progress.files_searched), human::size(progress.bytes_searched));
        text.push_str(&format!("  {files} files, {bytes}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use roadstead_client::api::run::Progress;

    use super::{Event, Notice, sentence};

    #[test]
    fn events_are_told_in_a_line() {
        let created = Event::new("backup_configuration", 3, "create");
        let moved = Event::new("backup", 5, "state").state("queued");
        let progress = Progress { files_searched: 1234, bytes_searched: 5 << 30, ..Progress::default() };
        let further = Event::new("backup", 5, "progress").state("in_progress").progress(progress);
        let lines = [created, moved, further].map(|event| sentence(&Notice::Changed(event)));
        assert_eq!(
            lines,
            [
                "1970-01-01T00:00:00Z  backup_configuration 3  create",
                "1970-01-01T00:00:00Z  backup 5  queued",
                "1970-01-01T00:00:00Z  backup 5  in_progress  1,234 files, 5.0 GiB",
            ]
        );
    }
}
