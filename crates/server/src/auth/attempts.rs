//! Wrong passwords, counted by name and by network: whoever guesses at one name has ten tries a minute, and whoever
//! guesses at many from one place has fifty.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{Error, Result, random};

/// How many wrong passwords a name may see within [`WINDOW_MS`].
const PER_NAME: usize = 10;
/// How many wrong passwords may come from a network, a /24 or a /64, within [`WINDOW_MS`].
const PER_NETWORK: usize = 50;
/// How long a wrong password counts, in milliseconds.
const WINDOW_MS: i64 = 60_000;
/// How many names and networks are remembered. Beyond it, those whose tries have all expired are forgotten first, and
/// then those that were tried longest ago.
const MAX_REMEMBERED: usize = 20_000;

/// Who is tried, or from where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    /// The hash of a name.
    Name(String),
    /// The first three bytes of an IPv4 address.
    V4([u8; 3]),
    /// The first half of an IPv6 address.
    V6([u16; 4]),
}

/// The wrong passwords of the last minute.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<Place, VecDeque<i64>>>);

impl Attempts {
    /// Refuses a try for a name or from a network that has seen too many wrong ones; else counts it, as if it were
    /// wrong.
    pub fn begin(&self, username: &str, source: Option<IpAddr>, now_ms: i64) -> Result<()> {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = [
            (Some(name(username)), PER_NAME, "for this name"),
            (source.map(network), PER_NETWORK, "from there"),
        ];
        for (place, limit, whose) in &limits {
            let Some(seen) = place.as_ref().and_then(|place| tries.get_mut(place)) else { continue };
            while seen.front().is_some_and(|&at| at <= now_ms - WINDOW_MS) {
                seen.pop_front();
            }
            if seen.len() >= *limit {
                let free_ms = seen.front().map_or(WINDOW_MS, |&at| at + WINDOW_MS - now_ms);
                return Err(too_many(whose, free_ms));
            }
        }
        for place in limits.into_iter().filter_map(|(place, ..)| place) {
            make_room(&mut tries, now_ms);
            tries.entry(place).or_default().push_back(now_ms);
        }
        Ok(())
    }

    /// The try was right: the name starts afresh, and the network has one wrong try less.
    pub fn succeeded(&self, username: &str, source: Option<IpAddr>) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries.remove(&name(username));
        if let Some(seen) = source.and_then(|source| tries.get_mut(&network(source))) {
            seen.pop_back();
        }
    }
}

fn name(username: &str) -> Place {
    Place::Name(random::fingerprint(username))
}

fn network(source: IpAddr) -> Place {
    match source.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Place::V4([a, b, c])
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Place::V6([a, b, c, d])
        }
    }
}

fn make_room(tries: &mut HashMap<Place, VecDeque<i64>>, now_ms: i64) {
    if tries.len() < MAX_REMEMBERED {
        return;
    }
    tries.retain(|_, seen| seen.back().is_some_and(|&at| at > now_ms - WINDOW_MS));
    if tries.len() < MAX_REMEMBERED {
        return;
    }
    let oldest = tries.iter().min_by_key(|(_, seen)| seen.back().copied()).map(|(place, _)| place.clone());
    if let Some(oldest) = oldest {
        tries.remove(&oldest);
    }
}

fn too_many(whose: &str, free_ms: i64) -> Error {
    let wait = Duration::from_millis(u64::try_from(free_ms).unwrap_or_default());
    let seconds = wait.as_secs_f64().ceil();
    Error::too_many(
        format!("Too many wrong passwords {whose}; wait {seconds} seconds, or use an API key."),
        wait,
    )
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Attempts, MAX_REMEMBERED, PER_NAME, PER_NETWORK, WINDOW_MS};

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn ten_tries_a_minute_and_other_names_are_free() {
        let attempts = Attempts::default();
        for at in 0..PER_NAME as i64 {
            attempts.begin("ann", None, at).unwrap();
        }
        let refused = attempts.begin("ann", None, 100).unwrap_err();
        assert_eq!(refused.retry_after.unwrap().as_millis() as i64, WINDOW_MS - 100);
        attempts.begin("bob", None, 100).unwrap();
        assert!(attempts.begin("ann", None, WINDOW_MS - 1).is_err());
        attempts.begin("ann", None, WINDOW_MS).unwrap();
        assert!(attempts.begin("ann", None, WINDOW_MS).is_err());
        attempts.succeeded("ann", None);
        attempts.begin("ann", None, WINDOW_MS).unwrap();
    }

    #[test]
    fn a_network_that_tries_many_names_is_stopped() {
        for (near, far) in [("192.0.2.1", "192.0.3.1"), ("2001:db8::1", "2001:db8:0:1::1")] {
            let attempts = Attempts::default();
            for number in 0..PER_NETWORK {
                attempts.begin(&format!("user {number}"), address(near), 0).unwrap();
                // Who knows a password does not use up the tries of the others.
                attempts.begin("known", address(near), 0).unwrap_or_else(|e| panic!("{number}: {e}"));
                attempts.succeeded("known", address(near));
                if number + 1 == PER_NETWORK - 1 {
                    break;
                }
            }
            attempts.begin("last", address(near), 0).unwrap();
            assert!(attempts.begin("one more", address(near), 1).is_err(), "{near}");
            let mapped = near.parse::<std::net::Ipv4Addr>().map(|v4| IpAddr::V6(v4.to_ipv6_mapped()));
            assert!(mapped.is_err() || attempts.begin("one more", mapped.ok(), 1).is_err());
            attempts.begin("one more", address(far), 1).unwrap();
            attempts.begin("one more", address(near), WINDOW_MS).unwrap();
        }
    }

    #[test]
    fn memory_stays_flat() {
        let attempts = Attempts::default();
        for number in 0..MAX_REMEMBERED + 50 {
            attempts.begin(&number.to_string(), None, number as i64 / 1000).unwrap();
        }
        assert!(attempts.0.lock().unwrap().len() <= MAX_REMEMBERED);
    }
}
