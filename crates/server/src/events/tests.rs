//! The ring and its readers.

use std::sync::Arc;

use roadstead_api::{event::Event, id::AccountId, run::Progress};

use super::{Batch, Events, MAX_BYTES, MAX_EVENTS, MAX_READERS, Reader, Told};
use crate::{ErrorKind, SystemClock};

const ACCOUNT: AccountId = AccountId(1);

fn events() -> Arc<Events> {
    Arc::new(Events::new(Arc::new(SystemClock)).unwrap())
}

fn event(id: usize) -> Event {
    Event::new("backup", id, "state").state("queued")
}

async fn ids(reader: &mut Reader) -> Vec<String> {
    match reader.next().await {
        Batch::Entries(entries) => entries.iter().map(|entry| entry.told.event.id.clone()).collect(),
        Batch::Lost => vec!["lost".to_owned()],
    }
}

#[tokio::test]
async fn a_reader_gets_what_comes_and_goes_on_where_it_left() {
    let events = events();
    events.tell(ACCOUNT, event(0));
    let mut reader = events.client(None).unwrap();
    for id in 1..4 {
        events.tell(ACCOUNT, event(id));
    }
    assert_eq!(ids(&mut reader).await, ["1", "2", "3"]);
    let place = reader.place();
    drop(reader);
    events.heard(vec![Told::new(ACCOUNT, event(4))]);
    let mut again = events.client(Some(&place)).unwrap();
    assert!(!again.has_lost());
    assert_eq!(ids(&mut again).await, ["4"]);
}

#[tokio::test]
async fn a_reader_waits_for_what_is_told_later() {
    let events = events();
    let mut reader = events.reader();
    let waiting = tokio::spawn(async move { ids(&mut reader).await });
    tokio::task::yield_now().await;
    events.tell(ACCOUNT, event(7));
    assert_eq!(waiting.await.unwrap(), ["7"]);
}

#[tokio::test]
async fn places_that_mean_nothing_here_are_lost_places() {
    let (here, elsewhere) = (events(), events());
    elsewhere.tell(ACCOUNT, event(1));
    let foreign = elsewhere.reader().place();
    let ahead = here.name(1000);
    let largest = here.name(u64::MAX);
    for place in [&foreign, &ahead, &largest, "", "-", "x-1", &format!("{foreign}-9"), &"9".repeat(5000)] {
        let mut reader = here.client(Some(place)).unwrap();
        assert!(reader.has_lost(), "{place}");
        assert!(!reader.has_lost(), "{place}");
    }
}

#[tokio::test]
async fn a_slow_reader_is_told_and_memory_stays_flat() {
    let events = events();
    let mut slow = events.reader();
    for id in 0..MAX_EVENTS + 10 {
        events.tell(ACCOUNT, event(id));
    }
    assert_eq!(events.locked().entries.len(), MAX_EVENTS);
    assert_eq!(ids(&mut slow).await, ["lost"]);
    events.tell(ACCOUNT, event(1));
    assert_eq!(ids(&mut slow).await, ["1"], "it goes on at the end");

    let long = Progress { current_path: Some("ü".repeat(100_000)), ..Progress::default() };
    for id in 0..2 * MAX_EVENTS {
        events.tell(ACCOUNT, event(id).progress(long.clone()));
    }
    let ring = events.locked();
    assert!(ring.bytes <= MAX_BYTES && ring.entries.len() <= MAX_EVENTS);
    assert_eq!(ring.bytes, ring.entries.iter().map(|entry| entry.bytes).sum::<usize>());
}

#[tokio::test]
async fn what_a_neighbour_may_have_said_is_lost_for_all_clients() {
    let events = events();
    let (mut idle, mut behind) = (events.client(None).unwrap(), events.client(None).unwrap());
    let (mut own, mut own_behind) = (events.reader(), events.reader());
    events.tell(ACCOUNT, event(1));
    assert_eq!((ids(&mut idle).await, ids(&mut own).await), (vec!["1".into()], vec!["1".into()]));
    events.heard(vec![Told::new(ACCOUNT, event(9))]);
    assert_eq!(ids(&mut idle).await, ["9"]);
    events.lost();
    assert_eq!((ids(&mut idle).await, ids(&mut behind).await), (vec!["lost".into()], vec!["lost".into()]));
    assert_eq!(ids(&mut own_behind).await, ["lost"], "what happened here was not read");
    events.tell(ACCOUNT, event(2));
    assert_eq!(ids(&mut idle).await, ["2"]);
    assert_eq!(ids(&mut own).await, ["2"], "what happened elsewhere is no loss");
}

#[test]
fn there_are_only_so_many_readers() {
    let events = events();
    let open: Vec<_> = (0..MAX_READERS).map(|_| events.client(None).unwrap()).collect();
    assert_eq!(events.client(None).unwrap_err().kind, ErrorKind::TooMany);
    drop(open);
    assert!(events.client(None).is_ok());
}
