//! Answers what the server asks in between, each question on a thread of its own: a file system that hangs holds up
//! nothing else, and not the agent's end either.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use roadstead_api::{
    agent_log::MAX_LINES,
    link::AgentMessage,
    question::{ANSWER_SECONDS, Answer, MAX_OPEN, Question, Refusal},
};
use tokio::{sync::oneshot, task::JoinSet, time::timeout};

use crate::{browse, data_dir::DataDir, log::Log};

/// How long an answer may take: the server is to hear that it takes longer before it gives up.
const PATIENCE: Duration = Duration::from_secs(ANSWER_SECONDS as u64 * 3 / 4);

/// Where questions are answered; lives as long as the agent.
#[derive(Debug)]
pub(crate) struct Desk {
    data: DataDir,
    log: Log,
    /// Threads that are at work, also those whose answers nobody waits for any more.
    at_work: Arc<AtomicUsize>,
}

/// The answers of one session that are still to come.
pub(crate) type Answers = JoinSet<AgentMessage>;

impl Desk {
    pub fn new(data: DataDir, log: Log) -> Self {
        Self { data, log, at_work: Arc::default() }
    }

    /// Begins to answer; the answer comes out of `answers`.
    pub fn ask(&self, question: u64, what: Question, answers: &mut Answers) {
        let begun = self.begin(what);
        answers.spawn(async move {
            let answer = match begun {
                Ok(answer) => match timeout(PATIENCE, answer).await {
                    Ok(Ok(answer)) => answer,
                    Ok(Err(_)) => failed("the agent could not answer"),
                    Err(_) => failed("it takes too long on that machine; does a file system hang?"),
                },
                Err(reason) => failed(reason),
            };
            AgentMessage::Answer { question, answer }
        });
    }

    fn begin(&self, what: Question) -> Result<oneshot::Receiver<Answer>, &'static str> {
        if self.at_work.fetch_add(1, Ordering::Relaxed) >= MAX_OPEN {
            self.at_work.fetch_sub(1, Ordering::Relaxed);
            return Err("too many questions wait for an answer already; does a file system hang there?");
        }
        let (tell, told) = oneshot::channel();
        let (data, log, at_work) = (self.data.clone(), self.log.clone(), Arc::clone(&self.at_work));
        let work = move || {
            let answer = answer(&data, &log, what);
            at_work.fetch_sub(1, Ordering::Relaxed);
            // Nobody may wait any more.
            let _ = tell.send(answer);
        };
        match thread::Builder::new().name("question".to_owned()).spawn(work) {
            Ok(_) => Ok(told),
            Err(_) => {
                self.at_work.fetch_sub(1, Ordering::Relaxed);
                Err("the machine has no thread to spare")
            }
        }
    }
}

fn answer(data: &DataDir, log: &Log, what: Question) -> Answer {
    match what {
        Question::Files { path, cursor, limit } => {
            browse::files(&data.policy(), &path, cursor.as_deref(), limit)
        }
        Question::Log { lines } => Answer::Log { log: log.show(lines.min(MAX_LINES)) },
        Question::SetLogLevel { level } => {
            log.set_level(level);
            Answer::Log { log: log.show(1) }
        }
        Question::Awake => Answer::Awake,
    }
}

fn failed(reason: &str) -> Answer {
    Answer::Refused { why: Refusal::Failed, reason: reason.to_owned() }
}
