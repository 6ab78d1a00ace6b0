//! Values as the service writes and takes them: dates, sizes and durations are texts; numbers and truth values may come
//! as texts, too.

use jiff::Timestamp;
use serde_json::Value;

use crate::{Error, Result};

/// A time, `/Date(1351118760000)/`: exactly thirteen digits, no offset.
pub fn date(time: Timestamp) -> Value {
    Value::from(format!("/Date({:013})/", time.as_millisecond().max(0)))
}

/// A time that may be absent.
pub fn maybe_date(time: Option<Timestamp>) -> Value {
    time.map_or(Value::Null, date)
}

/// A size, such as `178.1 MB`: units of 1024, and a blank before the unit.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A duration, `00:04:33`; the hours have no bound.
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The whole number in a field, also as text; `None` where it is absent, null or empty.
pub fn integer(body: &Value, field: &str) -> Result<Option<i64>> {
    let wrong = || Error::invalid(format!("{field} must be a whole number."));
    match &body[field] {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => text.trim().parse().map(Some).map_err(|_| wrong()),
        value => value.as_i64().map(Some).ok_or_else(wrong),
    }
}

/// The whole number in a field that has to be there.
pub fn required(body: &Value, field: &str) -> Result<i64> {
    integer(body, field)?.ok_or_else(|| Error::invalid(format!("{field} is missing.")))
}

/// The truth value in a field, also as text; `None` where it is absent or null.
pub fn flag(body: &Value, field: &str) -> Result<Option<bool>> {
    match &body[field] {
        Value::Null => Ok(None),
        Value::Bool(value) => Ok(Some(*value)),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        _ => Err(Error::invalid(format!("{field} must be true or false."))),
    }
}

/// The text in a field; `None` where it is absent or null.
pub fn text(body: &Value, field: &str) -> Result<Option<String>> {
    match &body[field] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(Error::invalid(format!("{field} must be a text."))),
    }
}

/// An id in a path.
pub fn id(part: &str) -> Result<i64> {
    part.parse().map_err(|_| Error::not_found(format!("There is no {part:.50?}: ids are whole numbers.")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_clients_parse() {
        assert_eq!(
            date(Timestamp::from_millisecond(1_351_118_760_000).unwrap()),
            json!("/Date(1351118760000)/")
        );
        assert_eq!(date(Timestamp::from_millisecond(5).unwrap()), json!("/Date(0000000000005)/"));
        let sizes = [(0, "0 bytes"), (318, "318 bytes"), (36_147, "35.3 KB"), (186_751_386, "178.1 MB")];
        for (bytes, text) in sizes {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(size(u64::MAX), "16.0 EB");
        assert_eq!([duration(273.4), duration(360_000.0)], ["00:04:33", "100:00:00"]);
    }

    #[test]
    fn what_clients_send() {
        let body =
            json!({ "a": 3, "b": "3", "c": null, "d": "", "e": true, "f": "True", "g": 1.5, "h": [1] });
        assert_eq!([integer(&body, "a").unwrap(), integer(&body, "b").unwrap()], [Some(3), Some(3)]);
        assert_eq!(
            [integer(&body, "c").unwrap(), integer(&body, "d").unwrap(), integer(&body, "z").unwrap()],
            [None; 3]
        );
        assert!(
            integer(&body, "g").is_err() && integer(&body, "h").is_err() && required(&body, "c").is_err()
        );
        assert_eq!([flag(&body, "e").unwrap(), flag(&body, "f").unwrap()], [Some(true); 2]);
        assert!(flag(&body, "a").is_err() && text(&body, "a").is_err());
        // What is no object has no fields.
        assert_eq!(integer(&json!([1]), "a").unwrap(), None);
    }
}
