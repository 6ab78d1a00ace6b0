//! The ways in which a far side misbehaves.

use std::time::Duration;

/// How a fake misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Not at all.
    #[default]
    None,
    /// It takes calls and says nothing.
    Silent,
    /// It takes calls and closes the connection.
    Slams,
    /// It answers after a while.
    Slow(Duration),
    /// It refuses with this status, in the service's own words.
    Status(u16),
    /// It has had too many calls, and says after how many seconds to come back, if anything.
    Busy(Option<u32>),
    /// Its answers break off before the length that they announced.
    BreaksOff,
    /// Its answers are cut in the middle.
    Truncates,
    /// Its answers are in no known language.
    Babbles,
    /// Its answers never end.
    Floods,
    /// It sends the caller to another server.
    Redirects,
}
