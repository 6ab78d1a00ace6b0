//! What deliveries of webhooks and of mail have in common: why one failed, and when it is tried again.

/// How long to wait after each try that failed, in seconds. After the last there is no other.
const PAUSES: [i64; 9] = [5, 30, 60, 300, 900, 1800, 3600, 10_800, 18_000];

/// Why a delivery failed.
#[derive(Debug)]
pub struct Refusal {
    /// What happened.
    pub why: String,
    /// Whether the far side never wants to hear of it again.
    pub for_good: bool,
}

impl Refusal {
    /// One that another try may do away with.
    pub fn for_now(why: impl Into<String>) -> Self {
        Self { why: why.into(), for_good: false }
    }
}

/// How long to wait after a try that failed, in milliseconds; `attempts` counts it, too. `None` where there is to be no
/// other.
pub fn pause_ms(refusal: &Refusal, attempts: i64) -> Option<i64> {
    if refusal.for_good {
        return None;
    }
    let tried = usize::try_from(attempts - 1).ok()?;
    PAUSES.get(tried).map(|pause| pause * 1000)
}

#[cfg(test)]
mod tests {
    use super::{Refusal, pause_ms};

    #[test]
    fn tries_become_rarer_and_end_after_ten_hours() {
        let refusal = Refusal::for_now("down");
        let pauses: Vec<i64> = (1..).map_while(|attempts| pause_ms(&refusal, attempts)).collect();
        assert!(pauses.is_sorted());
        assert!((9..11).contains(&(pauses.iter().sum::<i64>() / 3_600_000)), "{pauses:?}");
        assert_eq!(pause_ms(&Refusal { for_good: true, ..refusal }, 1), None);
        assert_eq!(pause_ms(&Refusal::for_now("down"), 0), None);
    }
}
