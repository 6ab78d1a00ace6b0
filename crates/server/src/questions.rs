//! Questions to agents that wait for their answers. Lost with the link that they went over.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use roadstead_api::{
    id::AgentId,
    question::{Answer, MAX_OPEN},
};
use tokio::sync::oneshot;

/// The open questions.
#[derive(Debug, Default)]
pub struct Questions {
    open: Mutex<HashMap<u64, Open>>,
    next_number: AtomicU64,
}

#[derive(Debug)]
struct Open {
    agent: AgentId,
    tell: oneshot::Sender<Answer>,
}

/// A question whose answer is waited for; withdrawn when dropped.
#[derive(Debug)]
pub struct Asked<'a> {
    questions: &'a Questions,
    /// Its number.
    pub number: u64,
    /// Where the answer comes; an error once the link is gone.
    pub answer: oneshot::Receiver<Answer>,
}

impl Questions {
    /// Opens a question to an agent, unless it has too many open.
    pub fn open(&self, agent: AgentId) -> Option<Asked<'_>> {
        let mut open = self.lock();
        if open.values().filter(|open| open.agent == agent).count() >= MAX_OPEN {
            return None;
        }
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let (tell, answer) = oneshot::channel();
        open.insert(number, Open { agent, tell });
        Some(Asked { questions: self, number, answer })
    }

    /// Takes an agent's answer; one to a question that is not open, or was another agent's, is passed over.
    pub fn answer(&self, agent: AgentId, number: u64, answer: Answer) {
        let mut open = self.lock();
        if open.get(&number).is_some_and(|open| open.agent == agent)
            && let Some(open) = open.remove(&number)
        {
            // Whoever asked may have gone.
            let _ = open.tell.send(answer);
        }
    }

    /// Gives up the questions to an agent whose link is gone.
    pub fn give_up(&self, agent: AgentId) {
        self.lock().retain(|_, open| open.agent != agent);
    }

    /// The map is whole after every statement.
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.questions.lock().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use roadstead_api::{
        id::AgentId,
        question::{Answer, MAX_OPEN, Refusal},
    };

    use super::Questions;

    #[test]
    fn only_the_agent_that_was_asked_can_answer() {
        let questions = Questions::default();
        let mut asked = questions.open(AgentId(1)).unwrap();
        let answer = Answer::Refused { why: Refusal::Failed, reason: "no".to_owned() };
        questions.answer(AgentId(2), asked.number, answer.clone());
        assert!(asked.answer.try_recv().is_err());
        questions.answer(AgentId(1), asked.number + 1, answer.clone());
        questions.answer(AgentId(1), asked.number, answer.clone());
        assert_eq!(asked.answer.try_recv().unwrap(), answer);
    }

    #[test]
    fn open_questions_are_bounded_and_withdrawn() {
        let questions = Questions::default();
        let mut asked: Vec<_> = (0..MAX_OPEN).map(|_| questions.open(AgentId(1)).unwrap()).collect();
        assert!(questions.open(AgentId(1)).is_none() && questions.open(AgentId(2)).is_some());
        asked.pop();
        let mut again = questions.open(AgentId(1)).unwrap();
        questions.give_up(AgentId(1));
        assert!(again.answer.try_recv().is_err());
        drop((asked, again));
        assert!(questions.lock().is_empty());
    }
}
