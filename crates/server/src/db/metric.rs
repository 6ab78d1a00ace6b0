//! How busy machines are: the points of a series, a chunk of time in a row.
//!
//! A point is a line: seconds from the chunk's beginning, weight, then the sample's numbers as integers, load and
//! percentage in thousandths, the rest in bytes. To write one is to append a line.

use roadstead_api::{
    id::{AccountId, AgentId},
    metric::Sample,
};
use sqlx::{Executor, query};

use super::{Connection, row::Columns};
use crate::{
    Result,
    meters::{Due, Point, Step},
};

/// How the numbers of a sample are scaled before they are cut to integers.
const SCALE: [f64; Sample::NUMBERS] = [1000.0, 1000.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
/// How many lines of a row are read: far more than ever come about.
const MAX_LINES: usize = 5000;

/// Adds a point to its series, unless its agent is gone.
pub async fn append(db: &mut Connection, (agent, step, point): &Due) -> Result<()> {
    let chunk = point.at.div_euclid(step.chunk_seconds()) * step.chunk_seconds();
    let append = query(
        "INSERT INTO metrics (agent_id, step, chunk, points)
         SELECT a.id, $2, $3, $4 FROM agents a WHERE a.id = $1
         ON CONFLICT (agent_id, step, chunk) DO UPDATE SET points = metrics.points || excluded.points",
    )
    .bind(agent.0)
    .bind(step.seconds())
    .bind(chunk)
    .bind(line(point, chunk));
    db.execute(append).await?;
    Ok(())
}

/// The points of an agent's series that begin from `since` until before `until`, in seconds since 1970. In no order,
/// and those of one time may be several.
pub async fn points(
    db: &mut Connection,
    agent: AgentId,
    step: Step,
    (since, until): (i64, i64),
) -> Result<Vec<Point>> {
    let select = query(
        "SELECT chunk, points FROM metrics
         WHERE agent_id = $1 AND step = $2 AND chunk > $3 AND chunk < $4 ORDER BY chunk",
    )
    .bind(agent.0)
    .bind(step.seconds())
    .bind(since.saturating_sub(step.chunk_seconds()))
    .bind(until);
    let mut points = Vec::new();
    for row in db.fetch_all(select).await? {
        let (chunk, text) = (row.integer("chunk")?, row.text("points")?);
        points.extend(text.lines().take(MAX_LINES).filter_map(|line| point(line, chunk)));
    }
    points.retain(|point| (since..until).contains(&point.at));
    Ok(points)
}

/// The agents of an account with the last point of each that began at `since` or later, by the minute.
pub async fn latest(db: &mut Connection, account: AccountId, since: i64) -> Result<Vec<(AgentId, Point)>> {
    let step = Step::Minute;
    let select = query(
        "SELECT m.agent_id, m.chunk, m.points FROM metrics m JOIN agents a ON a.id = m.agent_id
         WHERE a.account_id = $1 AND m.step = $2 AND m.chunk > $3 ORDER BY m.agent_id, m.chunk",
    )
    .bind(account.0)
    .bind(step.seconds())
    .bind(since - step.chunk_seconds());
    let mut found: Vec<(AgentId, Point)> = Vec::new();
    for row in db.fetch_all(select).await? {
        let agent = AgentId(row.integer("agent_id")?);
        let (chunk, text) = (row.integer("chunk")?, row.text("points")?);
        let last = text.lines().rev().find_map(|line| point(line, chunk));
        let Some(last) = last.filter(|point| point.at >= since) else { continue };
        match found.last_mut().filter(|known| known.0 == agent) {
            Some(known) => known.1 = last,
            None => found.push((agent, last)),
        }
    }
    Ok(found)
}

/// Forgets the rows of a step that ended before this, in seconds since 1970.
pub async fn delete_before(db: &mut Connection, step: Step, seconds: i64) -> Result<u64> {
    let delete = query("DELETE FROM metrics WHERE step = $1 AND chunk < $2")
        .bind(step.seconds())
        .bind(seconds - step.chunk_seconds());
    Ok(db.execute(delete).await?.rows_affected())
}

fn line(point: &Point, chunk: i64) -> String {
    let mut line = format!("{},{}", point.at - chunk, point.weight);
    for (number, scale) in point.sample.numbers().iter().zip(SCALE) {
        line += &format!(",{}", (number * scale).round() as u64);
    }
    line.push('\n');
    line
}

/// Reads a line; one that is not understood is left out.
fn point(line: &str, chunk: i64) -> Option<Point> {
    let mut words = line.split(',');
    let at = chunk.checked_add(words.next()?.parse().ok()?)?;
    let weight = words.next()?.parse().ok()?;
    let mut numbers = [0.0; Sample::NUMBERS];
    for (number, scale) in numbers.iter_mut().zip(SCALE) {
        *number = words.next()?.parse::<u64>().ok()? as f64 / scale;
    }
    words.next().is_none().then_some(Point { at, weight, sample: Sample::of_numbers(numbers) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use roadstead_api::{agent::HostFacts, metric::Sample};

    use super::*;
    use crate::{
        db::{self, agent::NewAgent, testing},
        meters::merged,
    };

    #[tokio::test]
    async fn points_are_appended_read_and_forgotten() {
        testing::each(|db| async move {
            let mut write = db.write().await.unwrap();
            let account = db::account::insert(&mut write, "test", 1).await.unwrap();
            let new = NewAgent {
                account_id: account,
                name: "test",
                public_key: "",
                fingerprint: "",
                credential_hash: "",
                host: &HostFacts::default(),
                now_ms: 1,
            };
            let agent = db::agent::insert(&mut write, &new).await.unwrap();
            let sample = |load| Sample { load, memory_used_bytes: 12_345.0, ..Sample::default() };
            let at = |minute: i64, load| Point { at: minute * 60, weight: 1, sample: sample(load) };
            for minute in 0..200 {
                append(&mut write, &(agent, Step::Minute, at(minute, 0.25))).await.unwrap();
            }
            append(&mut write, &(agent, Step::Minute, at(199, 0.75))).await.unwrap();
            append(&mut write, &(AgentId(99), Step::Minute, at(1, 1.0))).await.unwrap();
            let found = points(&mut write, agent, Step::Minute, (60 * 60, 199 * 60)).await.unwrap();
            let minutes: Vec<i64> = found.iter().map(|point| point.at / 60).collect();
            assert_eq!(minutes, (60..199).collect::<Vec<_>>());
            let last = points(&mut write, agent, Step::Minute, (199 * 60, 300 * 60)).await.unwrap();
            assert_eq!(merged(last), [Point { at: 199 * 60, weight: 2, sample: sample(0.5) }]);
            let latest = latest(&mut write, account, 100 * 60).await.unwrap();
            assert_eq!(latest, [(agent, at(199, 0.75))]);
            assert_eq!(delete_before(&mut write, Step::Minute, 150 * 60).await.unwrap(), 2);
            let left = points(&mut write, agent, Step::Minute, (0, i64::MAX)).await.unwrap();
            assert_eq!(left.first().map(|point| point.at), Some(144 * 60));
            write.commit().await.unwrap();
        })
        .await;
    }

    proptest! {
        #[test]
        fn a_line_comes_back_as_it_was(at in 0i64..72, weight in any::<u32>(), numbers in any::<[u32; 10]>()) {
            let mut scaled = [0.0; Sample::NUMBERS];
            for ((out, number), scale) in scaled.iter_mut().zip(numbers).zip(SCALE) {
                *out = f64::from(number) / scale;
            }
            let told = Point { at: 7200 + at, weight, sample: Sample::of_numbers(scaled) };
            prop_assert_eq!(point(line(&told, 7200).trim_end(), 7200), Some(told));
        }

        #[test]
        fn no_line_makes_it_fall_over(text in "[0-9,.\\-a]{0,80}") {
            let _ = point(&text, 0);
        }
    }
}
