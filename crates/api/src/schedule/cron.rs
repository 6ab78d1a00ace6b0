//! Cron expressions: five fields, as `crontab(5)` of Debian's cron describes them.
//!
//! A field is a list of values, ranges and steps (`*/15`, `1-5`, `mon,thu`). Where both days are restricted, the day
//! of the month and the day of the week, either is enough. Sunday is 0 or 7.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use jiff::civil::{Date, Weekday};

/// The longest expression that is read, in bytes.
const MAX_LENGTH: usize = 300;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// A cron expression. Displays as it was written, with single blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

/// The values that a field takes, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    bits: u64,
    /// It begins with `*`, so it does not restrict its day by itself.
    star: bool,
}

impl Field {
    fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| self.bits >> value & 1 == 1)
    }

    fn values(self) -> impl Iterator<Item = i8> {
        (0..60).filter(move |&value| self.has(value))
    }
}

impl Cron {
    /// Whether it comes on this day.
    pub fn is_on(&self, date: Date) -> bool {
        let day = self.days.has(date.day());
        let weekday = self.weekdays.has(date.weekday().to_sunday_zero_offset());
        let either = !self.days.star && !self.weekdays.star;
        self.months.has(date.month()) && if either { day || weekday } else { day && weekday }
    }

    /// The times of day at which it comes, as hour and minute, in order.
    pub fn times(&self) -> impl Iterator<Item = (i8, i8)> + '_ {
        self.hours.values().flat_map(|hour| self.minutes.values().map(move |minute| (hour, minute)))
    }

    /// Whether it comes in every hour, so that it follows the time that passes rather than the clock on the wall.
    pub fn is_every_hour(&self) -> bool {
        self.hours.bits == bits(0..=23, 1)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Cron {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("a cron expression has up to {MAX_LENGTH} characters"));
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
        let meant =
            NICKNAMES.iter().find(|(name, _)| *name == text).map_or(text.as_str(), |(_, meant)| meant);
        let fields: Vec<&str> = meant.split(' ').collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(format!(
                "a cron expression has five fields (minute, hour, day, month, weekday), {text:?} has {}",
                fields.iter().filter(|field| !field.is_empty()).count()
            ));
        };
        let weekdays = field("weekday", weekdays, 0..=7, &WEEKDAYS, 0)?;
        Ok(Self {
            minutes: field("minute", minutes, 0..=59, &[], 0)?,
            hours: field("hour", hours, 0..=23, &[], 0)?,
            days: field("day", days, 1..=31, &[], 0)?,
            months: field("month", months, 1..=12, &MONTHS, 1)?,
            // The second name of Sunday.
            weekdays: Field { bits: (weekdays.bits | weekdays.bits >> 7) & 0x7f, ..weekdays },
            text,
        })
    }
}

/// Reads one field; `names` begin at the value `first`.
fn field(
    what: &str,
    text: &str,
    range: RangeInclusive<u32>,
    names: &[&str],
    first: u32,
) -> Result<Field, String> {
    let value = |text: &str| {
        let named = names.iter().position(|name| *name == text).map(|at| at as u32 + first);
        let value = named.or_else(|| text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit())));
        value.filter(|value| range.contains(value)).ok_or_else(|| {
            format!("{text:?} is no {what}: it goes from {} to {}", range.start(), range.end())
        })
    };
    let mut field = Field { bits: 0, star: text.starts_with('*') };
    for part in text.split(',') {
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => (span, Some(step)),
            None => (part, None),
        };
        let (from, to) = match span.split_once('-') {
            _ if span == "*" => (*range.start(), *range.end()),
            // As in `sat-sun`.
            Some((from, "sun" | "0")) if what == "weekday" && from != "0" && from != "sun" => {
                (value(from)?, 7)
            }
            Some((from, to)) => (value(from)?, value(to)?),
            None if step.is_some() => (value(span)?, *range.end()),
            None => (value(span)?, value(span)?),
        };
        let step = match step {
            Some(step) => step.parse().ok().filter(|step| (1..=59).contains(step)),
            None => Some(1),
        };
        let step = step.ok_or_else(|| format!("{part:?} is no {what}: a step goes from 1 to 59"))?;
        if from > to {
            return Err(format!("{span:?} is no {what}: the range goes backwards"));
        }
        field.bits |= bits(from..=to, step);
    }
    Ok(field)
}

fn bits(range: RangeInclusive<u32>, step: u32) -> u64 {
    range.step_by(step as usize).fold(0, |bits, value| bits | 1 << value)
}

/// The short English name of a day of the week.
pub(super) fn name(day: Weekday) -> &'static str {
    WEEKDAYS[day.to_sunday_zero_offset().unsigned_abs() as usize % 7]
}

/// The day of the week of an English name, short or whole.
pub(super) fn weekday(text: &str) -> Option<Weekday> {
    let text = text.to_ascii_lowercase();
    let whole = |day: &Weekday| format!("{day:?}").to_ascii_lowercase();
    let days = (0..7).filter_map(|offset| Weekday::from_sunday_zero_offset(offset).ok());
    days.into_iter().find(|day| text == name(*day) || text == whole(day))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn cron(text: &str) -> Cron {
        text.parse().unwrap()
    }

    #[test]
    fn fields_lists_ranges_steps_and_names() {
        let times = |text| cron(text).times().collect::<Vec<_>>();
        assert_eq!(times("5 4 * * *"), [(4, 5)]);
        assert_eq!(times("*/20 1-2 * * *"), [(1, 0), (1, 20), (1, 40), (2, 0), (2, 20), (2, 40)]);
        assert_eq!(times("0,30 23 * * *"), [(23, 0), (23, 30)]);
        assert_eq!(times("50/5 0 * * *"), [(0, 50), (0, 55)]);
        assert_eq!(times("@hourly").len(), 24);
        assert!(cron("7 * * * *").is_every_hour() && !cron("7 */2 * * *").is_every_hour());
        assert_eq!(cron(" 5  4 * JAN-Mar  mon ").to_string(), "5 4 * jan-mar mon");
    }

    #[test]
    fn days() {
        let friday_13 = date(2026, 2, 13);
        assert!(cron("0 0 13 * *").is_on(friday_13) && cron("0 0 * * fri").is_on(friday_13));
        assert!(cron("0 0 1 * fri").is_on(friday_13), "either is enough");
        assert!(cron("0 0 13 * mon").is_on(friday_13), "either is enough");
        assert!(!cron("0 0 */2 * mon").is_on(friday_13), "a star does not restrict by itself");
        let sunday = date(2026, 2, 15);
        for text in ["0 0 * * 0", "0 0 * * 7", "0 0 * * sat-sun", "0 0 * * 5-7", "0 0 * feb sun"] {
            assert!(cron(text).is_on(sunday), "{text}");
        }
        assert!(!cron("0 0 * * 1-6").is_on(sunday));
    }

    #[test]
    fn what_is_no_expression_is_told() {
        for wrong in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "*/60 * * * *",
            "a * * * *",
            "+1 * * * *",
            "1, * * * *",
            "@reboot",
            "-1 * * * *",
            "1-2-3 * * * *",
        ] {
            assert!(wrong.parse::<Cron>().is_err(), "{wrong:?}");
        }
        assert!("1,".repeat(200).parse::<Cron>().is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = text.parse::<Cron>();
        }

        #[test]
        fn what_looks_like_an_expression_reads_back_as_it_displays(
            text in "[0-9*/,-]{1,6} [0-9*/,-]{1,5} [0-9*/]{1,5} [0-9a-z*]{1,3} [0-9a-z*]{1,3}"
        ) {
            if let Ok(cron) = text.parse::<Cron>() {
                prop_assert!(cron.times().next().is_some());
                prop_assert_eq!(cron.to_string().parse::<Cron>(), Ok(cron));
            }
        }
    }
}
