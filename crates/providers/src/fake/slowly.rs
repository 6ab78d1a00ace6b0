//! Something that changes when it has been looked at often enough.

/// A state that takes a number of looks to become the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slowly<S> {
    now: S,
    next: Option<(S, u32)>,
}

impl<S: Clone + PartialEq> Slowly<S> {
    /// A state that stays.
    pub fn still(now: S) -> Self {
        Self { now, next: None }
    }

    /// A state that becomes `next` after this many looks.
    pub fn towards(now: S, next: S, looks: u32) -> Self {
        Self { now, next: Some((next, looks)) }
    }

    /// The state, without counting as a look.
    pub fn now(&self) -> &S {
        &self.now
    }

    /// The state, as it is seen now. Every look brings the next one nearer.
    pub fn look(&mut self) -> S {
        let seen = self.now.clone();
        if let Some((next, looks)) = self.next.take() {
            match looks {
                0 | 1 => self.now = next,
                looks => self.next = Some((next, looks - 1)),
            }
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::Slowly;

    #[test]
    fn it_changes_after_so_many_looks() {
        let mut state = Slowly::towards("new", "active", 2);
        assert_eq!(
            [state.look(), state.look(), state.look(), state.look()],
            ["new", "new", "active", "active"]
        );
    }
}
