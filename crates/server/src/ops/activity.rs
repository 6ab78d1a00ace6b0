//! Activity: backups, restores and checks in one list.

use roadstead_api::{
    Page,
    activity::{Activity, ActivityList, ActivityQuery},
};

use super::{Context, page};
use crate::{Error, Result, db, db::activity::Place};

/// Lists activities, newest first.
pub async fn list(context: &Context, query: ActivityQuery) -> Result<Page<Activity>> {
    context.authorize::<ActivityList>()?;
    let limit = page::limit(query.limit)?;
    let before = query.cursor.as_deref().map(place).transpose()?;
    let mut read = context.db.read().await?;
    let found = db::activity::list(&mut read, context.account(), &query, before, page::fetch(limit)).await?;
    Ok(page::page(found, limit, |activity| cursor(Place::of(activity))))
}

fn cursor(Place { created_ms, kind, id }: Place) -> String {
    format!("{created_ms}.{kind}.{id}")
}

fn place(cursor: &str) -> Result<Place> {
    let parts: Vec<&str> = cursor.split('.').collect();
    let read = |[created, kind, id]: [&str; 3]| {
        Some(Place { created_ms: created.parse().ok()?, kind: kind.parse().ok()?, id: id.parse().ok()? })
    };
    let place = <[&str; 3]>::try_from(parts).ok().and_then(read);
    place.ok_or_else(|| Error::invalid("cursor must be `next` of an earlier page of this list."))
}

#[cfg(test)]
mod tests {
    use roadstead_api::activity::ActivityKind;

    use super::*;

    #[test]
    fn cursors_read_back_and_others_are_refused() {
        let there = Place { created_ms: -5, kind: ActivityKind::Check, id: 7 };
        assert_eq!(place(&cursor(there)).unwrap(), there);
        for wrong in ["", "1", "1.backup", "1.backup.2.3", "x.backup.2", "1.nothing.2", "1.backup."] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }
}
