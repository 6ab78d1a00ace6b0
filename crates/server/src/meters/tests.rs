//! Samples become points, each in its step, and nothing that an agent says makes more of them than fit.

use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};
use roadstead_api::{id::AgentId, metric::Sample};

use super::{Meters, Point, Step, merged};

const AGENT: AgentId = AgentId(1);

fn sample(load: f64) -> Sample {
    Sample { load, ..Sample::default() }
}

#[test]
fn a_point_is_the_mean_of_its_step_and_due_when_that_is_over() {
    let meters = Meters::default();
    for (second, load) in [(0, 1.0), (20, 2.0), (40, 3.0)] {
        meters.take(AGENT, sample(load), false, second * 1000);
    }
    assert!(meters.due(false, 50_000).is_empty(), "no step is over");
    assert_eq!(meters.unwritten(AGENT, Step::Minute), [Point { at: 0, weight: 3, sample: sample(2.0) }]);
    meters.take(AGENT, sample(9.0), false, 60_000);
    assert_eq!(
        meters.due(false, 60_000),
        [(AGENT, Step::Minute, Point { at: 0, weight: 3, sample: sample(2.0) })]
    );
    assert_eq!(meters.latest(AGENT), Some((60_000, sample(9.0))));
    let rest = meters.due(true, 61_000);
    let steps: Vec<Step> = rest.iter().map(|due| due.1).collect();
    assert_eq!(steps, [Step::Minute, Step::FiveMinutes, Step::Hour]);
    assert!(meters.due(true, 61_000).is_empty() && meters.latest(AGENT).is_none());
}

#[test]
fn ten_seconds_are_kept_only_while_somebody_watches() {
    let meters = Meters::default();
    meters.take(AGENT, sample(1.0), true, 0);
    meters.take(AGENT, sample(1.0), true, 10_000);
    meters.take(AGENT, sample(1.0), false, 30_000);
    meters.take(AGENT, sample(1.0), false, 45_000);
    let due = meters.due(false, 45_000);
    let watched: Vec<i64> = due.iter().map(|due| due.2.at).collect();
    assert!(due.iter().all(|due| due.1 == Step::Watched) && watched == [0, 10], "{due:?}");
}

#[test]
fn what_was_cut_in_two_is_one_again() {
    let cut = [(60, 2, 4.0), (0, 1, 1.0), (0, 3, 5.0)];
    let points = merged(cut.map(|(at, weight, load)| Point { at, weight, sample: sample(load) }));
    let told: Vec<_> = points.iter().map(|point| (point.at, point.weight, point.sample.load)).collect();
    assert_eq!(told, [(0, 4, 4.0), (60, 2, 4.0)]);
}

proptest! {
    #[test]
    fn no_samples_make_nonsense_or_grow(
        samples in prop::collection::vec((any::<f64>(), any::<bool>(), 0i64..100_000), 0..200)
    ) {
        let meters = Meters::default();
        let (mut now_ms, mut taken) = (0, 0);
        for (number, watched, pause) in samples {
            now_ms += pause;
            meters.take(AGENT, Sample::of_numbers([number; Sample::NUMBERS]), watched, now_ms);
            taken += 1;
        }
        let due = meters.due(true, now_ms);
        prop_assert!(due.len() <= 4 * taken);
        for (agent, step, point) in due {
            prop_assert_eq!(agent, AGENT);
            prop_assert_eq!(point.at % step.seconds(), 0);
            prop_assert!(point.sample.numbers().iter().all(|n| n.is_finite() && *n >= 0.0));
        }
    }
}
