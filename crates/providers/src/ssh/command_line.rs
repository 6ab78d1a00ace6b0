//! What is run on a host: words of our own, and words of others that stay words.
//!
//! A login shell reads every command that comes over SSH, and nobody knows which shell that is. So a word of others goes
//! bare only when it has nothing in it but letters, digits and a few signs that no shell gives a meaning to; else it
//! stands between single quotes, and a word with a sign that some shell reads even there is refused.

use crate::error::{Error, ErrorKind, Result};

/// How long a word may be, in bytes.
const MAX_WORD_BYTES: usize = 64 * 1024;

/// A command for a host's shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandLine(String);

impl CommandLine {
    /// A command of our own; it may use what every POSIX shell knows.
    pub(crate) fn new(command: &'static str) -> Self {
        Self(command.to_owned())
    }

    /// The same with one more word, whoever wrote it. An error for what cannot be quoted for every shell.
    pub(crate) fn word(mut self, word: &str) -> Result<Self> {
        let quoted_anywhere = |character: char| character.is_control() || "'\\!".contains(character);
        if word.len() > MAX_WORD_BYTES || word.chars().any(quoted_anywhere) {
            return Err(Error::new(
                ErrorKind::Invalid,
                "a name has quotes or other signs that are not taken",
            ));
        }
        let bare = |character: char| character.is_ascii_alphanumeric() || "-_./:,+@".contains(character);
        self.0.push(' ');
        if !word.is_empty() && word.chars().all(bare) {
            self.0.push_str(word);
        } else {
            self.0.push('\'');
            self.0.push_str(word);
            self.0.push('\'');
        }
        Ok(self)
    }

    /// The same with something of our own behind it.
    pub(crate) fn then(mut self, command: &'static str) -> Self {
        self.0.push(' ');
        self.0.push_str(command);
        self
    }

    /// What the shell gets.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::{prop_assert_eq, proptest};

    use super::CommandLine;

    #[test]
    fn plain_words_go_bare_and_all_else_is_quoted_or_refused() {
        let line = CommandLine::new("virsh").word("--domain=a b").unwrap().word("x/y-1.z").unwrap();
        assert_eq!(line.then("| cat").as_str(), "virsh '--domain=a b' x/y-1.z | cat");
        assert_eq!(CommandLine::new("e").word("").unwrap().as_str(), "e ''");
        for word in ["it's", "back\\slash", "new\nline", "hey!", "nul\0", &"x".repeat(70_000)] {
            assert!(CommandLine::new("e").word(word).is_err(), "{word:.20}");
        }
    }

    proptest! {
        #[test]
        fn a_shell_reads_each_word_as_it_was(words in proptest::collection::vec("[ -&(-\\[\\]-~äß€]{0,20}", 0..6)) {
            let mut line = CommandLine::new("printf '%s\\n'");
            let mut taken = Vec::new();
            for word in &words {
                if let Ok(longer) = line.clone().word(word) {
                    line = longer;
                    taken.push(word.as_str());
                }
            }
            let output = Command::new("sh").arg("-c").arg(line.as_str()).output().unwrap();
            let printed = String::from_utf8(output.stdout).unwrap();
            let expected = if taken.is_empty() { "\n".into() } else { taken.join("\n") + "\n" };
            prop_assert_eq!(printed, expected);
        }
    }
}
