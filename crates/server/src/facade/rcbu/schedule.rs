//! Schedules as the service has them: a frequency, an hour of twelve with AM or PM, a day of the week from Sunday, and a
//! time zone by the name that Windows gives it.

use jiff::civil::Weekday;
use roadstead_api::schedule::{Schedule, TimeOfDay};
use serde_json::{Value, json};

use super::value::{integer, text};
use crate::{Error, Result};

/// Reads a schedule; `None` where no frequency is said.
pub fn read(body: &Value) -> Result<Option<Schedule>> {
    let Some(frequency) = text(body, "Frequency")? else { return Ok(None) };
    Ok(Some(match frequency.as_str() {
        "Manually" => Schedule::Manual,
        "Hourly" => {
            let hours = integer(body, "HourInterval")?.filter(|hours| (1..=23).contains(hours));
            let hours = hours.and_then(|hours| u16::try_from(hours).ok());
            Schedule::Hourly(hours.ok_or_else(|| Error::invalid("HourInterval goes from 1 to 23."))?)
        }
        "Daily" => Schedule::Daily(time(body)?),
        "Weekly" => {
            let day = integer(body, "DayOfWeekId")?.and_then(|day| i8::try_from(day).ok());
            let day = day.and_then(|day| Weekday::from_sunday_zero_offset(day).ok());
            let day = day.ok_or_else(|| Error::invalid("DayOfWeekId goes from 0, Sunday, to 6."))?;
            Schedule::Weekly(day, time(body)?)
        }
        _ => return Err(Error::invalid("Frequency is one of Manually, Hourly, Daily and Weekly.")),
    }))
}

/// Hours are sent as 0 to 11 by some clients and as 1 to 12 by others: 0 and 12 are the same.
fn time(body: &Value) -> Result<TimeOfDay> {
    let hour = integer(body, "StartTimeHour")?.filter(|hour| (0..=12).contains(hour));
    let hour = hour.ok_or_else(|| Error::invalid("StartTimeHour goes from 1 to 12."))?;
    let minute = integer(body, "StartTimeMinute")?.filter(|minute| (0..60).contains(minute));
    let minute = minute.ok_or_else(|| Error::invalid("StartTimeMinute goes from 0 to 59."))?;
    let afternoon = match text(body, "StartTimeAmPm")?.unwrap_or_default().to_ascii_uppercase().as_str() {
        "AM" => 0,
        "PM" => 12,
        _ => return Err(Error::invalid("StartTimeAmPm is AM or PM.")),
    };
    let time = i8::try_from(hour % 12 + afternoon).ok().zip(i8::try_from(minute).ok());
    time.and_then(|(hour, minute)| TimeOfDay::new(hour, minute))
        .ok_or_else(|| Error::invalid("There is no such time."))
}

/// Writes a schedule into an object; `hour` is as a client wrote it. One that the service had no words for is told as
/// manual.
pub fn write(schedule: &Schedule, hour: Option<i64>, into: &mut serde_json::Map<String, Value>) {
    let at = |time: TimeOfDay| {
        let twelve = i64::from((time.hour() + 11) % 12 + 1);
        let written = hour.filter(|hour| hour % 12 == i64::from(time.hour() % 12)).unwrap_or(twelve);
        json!([written, time.minute(), if time.hour() < 12 { "AM" } else { "PM" }])
    };
    let nothing = json!([null, null, ""]);
    let (frequency, time, day, interval) = match schedule {
        Schedule::Hourly(hours) if *hours < 24 => ("Hourly", nothing, Value::Null, json!(hours)),
        Schedule::Daily(time) => ("Daily", at(*time), Value::Null, Value::Null),
        Schedule::Weekly(day, time) => ("Weekly", at(*time), json!(day.to_sunday_zero_offset()), Value::Null),
        Schedule::Manual | Schedule::Hourly(_) | Schedule::Cron(_) => {
            ("Manually", nothing, Value::Null, Value::Null)
        }
    };
    into.insert("Frequency".to_owned(), json!(frequency));
    into.insert("StartTimeHour".to_owned(), time[0].clone());
    into.insert("StartTimeMinute".to_owned(), time[1].clone());
    into.insert("StartTimeAmPm".to_owned(), time[2].clone());
    into.insert("DayOfWeekId".to_owned(), day);
    into.insert("HourInterval".to_owned(), interval);
}

/// Whether the service had words for a schedule.
pub fn has_words(schedule: &Schedule) -> bool {
    !matches!(schedule, Schedule::Cron(_)) && !matches!(schedule, Schedule::Hourly(hours) if *hours > 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(hour: Value, half: &str) -> Value {
        json!({ "Frequency": "Weekly", "StartTimeHour": hour, "StartTimeMinute": "30", "StartTimeAmPm": half, "DayOfWeekId": "5" })
    }

    #[test]
    fn hours_of_both_kinds_are_read_and_read_back_as_they_were_written() {
        let cases = [
            (0, "AM", "00:30"),
            (12, "AM", "00:30"),
            (12, "PM", "12:30"),
            (0, "PM", "12:30"),
            (7, "PM", "19:30"),
        ];
        for (hour, half, time) in cases {
            let schedule = read(&body(json!(hour), half)).unwrap().unwrap();
            assert_eq!(schedule.to_string(), format!("weekly:fri@{time}"));
            let mut told = serde_json::Map::new();
            write(&schedule, Some(hour), &mut told);
            assert_eq!((&told["StartTimeHour"], &told["StartTimeAmPm"]), (&json!(hour), &json!(half)));
        }
        for wrong in [json!(13), json!(-1), Value::Null, json!("x"), json!(1.5)] {
            assert!(read(&body(wrong, "AM")).is_err());
        }
        assert!(read(&body(json!(3), "")).is_err());
    }

    #[test]
    fn the_other_frequencies() {
        let hourly = read(&json!({ "Frequency": "Hourly", "HourInterval": 6 })).unwrap().unwrap();
        let mut told = serde_json::Map::new();
        write(&hourly, None, &mut told);
        assert_eq!((&told["HourInterval"], &told["StartTimeAmPm"]), (&json!(6), &json!("")));
        assert_eq!(
            read(&json!({ "Frequency": "Manually", "StartTimeAmPm": null })).unwrap(),
            Some(Schedule::Manual)
        );
        assert_eq!(read(&json!({})).unwrap(), None);
        assert!(read(&json!({ "Frequency": "Monthly" })).is_err());
        assert!(!has_words(&"cron:0 0 * * *".parse().unwrap()) && !has_words(&Schedule::Hourly(48)));
    }
}
