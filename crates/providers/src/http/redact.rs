//! Takes out of messages what must not be in them.
//!
//! Far sides quote what they were sent. What they say goes into errors, and errors go into logs and replies, so every
//! text of theirs passes here: secrets become `[secret]`, control characters go, and what is long is cut.

use std::sync::{Arc, Mutex, PoisonError};

/// Characters of the far side's words that an error quotes.
const MAX_QUOTE_CHARS: usize = 300;
/// What is shorter is no secret worth the name, and taking it out would spoil the words around it.
const MIN_SECRET_BYTES: usize = 4;
/// Tokens come and go; the latest are kept.
const MAX_SECRETS: usize = 64;

/// The secrets of one backend. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Redactor(Arc<Mutex<Vec<String>>>);

impl Redactor {
    /// Hides this from now on.
    pub(crate) fn hide(&self, secret: &str) {
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if secret.len() < MIN_SECRET_BYTES || secrets.iter().any(|known| known == secret) {
            return;
        }
        if secrets.len() == MAX_SECRETS {
            secrets.remove(0);
        }
        secrets.push(secret.to_owned());
    }

    /// The text as it may be shown: one line, of bounded length, without secrets.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            text = text.replace(secret, "[secret]");
        }
        let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(MAX_QUOTE_CHARS) {
            Some((end, _)) => format!("{}...", &line[..end]),
            None => line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Redactor;

    #[test]
    fn secrets_and_control_characters_go_and_long_texts_are_cut() {
        let redactor = Redactor::default();
        redactor.hide("hunter2");
        redactor.hide("a");
        assert_eq!(
            redactor.clean("no \u{1b}[1m\nuser has\tkey hunter2hunter2"),
            "no [1m user has key [secret][secret]"
        );
        assert_eq!(redactor.clean(&"ä".repeat(1000)).chars().count(), 303);
    }
}
