//! What a driver can do, and how much: a small set of words, not sixty booleans, and a few numbers.
//!
//! A driver declares its set once. Callers refuse what is not in it before any call goes out, the page and the
//! command line leave out what is not in it, and the behaviour suite picks its cases by it. A machine carries a set of
//! its own: what can be done with it in the state it is in.

use std::fmt;

/// One thing that a driver may be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Capability {
    /// List images.
    Images,
    /// List sizes.
    Sizes,
    /// List locations.
    Locations,
    /// List networks.
    Networks,
    /// Make machines.
    Create,
    /// Start a machine.
    Start,
    /// Stop a machine.
    Stop,
    /// Restart a machine.
    Reboot,
    /// Destroy a machine.
    Destroy,
    /// Give a machine another name.
    Rename,
    /// Give a machine another size.
    Resize,
    /// Set and remove tags.
    Tag,
    /// Read what a machine printed on its console.
    ConsoleOutput,
    /// Ask a machine how it is.
    Probe,
    /// Start programs on a machine, with no login of the user's.
    Exec,
    /// Make networks.
    CreateNetwork,
    /// Delete networks.
    DeleteNetwork,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Self; 17] = [
        Self::Images,
        Self::Sizes,
        Self::Locations,
        Self::Networks,
        Self::Create,
        Self::Start,
        Self::Stop,
        Self::Reboot,
        Self::Destroy,
        Self::Rename,
        Self::Resize,
        Self::Tag,
        Self::ConsoleOutput,
        Self::Probe,
        Self::Exec,
        Self::CreateNetwork,
        Self::DeleteNetwork,
    ];

    /// The capability as what a person would want to do: `reboot machines`, `list images`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Images => "list images",
            Self::Sizes => "list sizes",
            Self::Locations => "list locations",
            Self::Networks => "list networks",
            Self::Create => "create machines",
            Self::Start => "start machines",
            Self::Stop => "stop machines",
            Self::Reboot => "reboot machines",
            Self::Destroy => "destroy machines",
            Self::Rename => "rename machines",
            Self::Resize => "resize machines",
            Self::Tag => "tag machines",
            Self::ConsoleOutput => "read a machine's console",
            Self::Probe => "probe machines",
            Self::Exec => "run commands on machines",
            Self::CreateNetwork => "create networks",
            Self::DeleteNetwork => "delete networks",
        }
    }

    const fn bit(self) -> u32 {
        1 << (self as u8)
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities(u32);

impl Capabilities {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// What clouds can do: show what they have, and have a machine made, switched and destroyed.
    pub const CLOUD: Self = Self::of(&[
        Capability::Images,
        Capability::Sizes,
        Capability::Locations,
        Capability::Networks,
        Capability::Create,
        Capability::Start,
        Capability::Stop,
        Capability::Reboot,
        Capability::Destroy,
    ]);

    /// This set and these.
    #[must_use]
    pub const fn and(self, members: &[Capability]) -> Self {
        Self(self.0 | Self::of(members).0)
    }

    /// The set of these.
    pub const fn of(members: &[Capability]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < members.len() {
            bits |= members[index].bit();
            index += 1;
        }
        Self(bits)
    }

    /// Whether `capability` is in the set.
    pub const fn contains(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }

    /// Whether all of this set is in `other`.
    pub const fn is_subset_of(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The members, in the order of [`Capability::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.into_iter().filter(move |&capability| self.contains(capability))
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// How much of something a provider takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls to the far side at once, for one backend.
    pub calls_at_once: usize,
    /// Characters in a machine's name.
    pub name_chars: usize,
    /// Machines in one order.
    pub machines_per_order: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { calls_at_once: 8, name_chars: 63, machines_per_order: 100 }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Capabilities, Capability};

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        for member in Capability::ALL {
            let set = Capabilities::of(&[member]);
            assert_eq!(set.iter().collect::<Vec<_>>(), [member]);
            assert!(set.is_subset_of(Capabilities::of(&Capability::ALL)));
            assert!(!set.is_subset_of(Capabilities::NONE));
        }
        let words: HashSet<_> = Capability::ALL.iter().map(|capability| capability.as_str()).collect();
        assert_eq!(words.len(), Capability::ALL.len());
    }
}
