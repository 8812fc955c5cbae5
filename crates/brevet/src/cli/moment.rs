//! Times as people read and write them: local, and how far from now.

use brevet_wire::Time;
use jiff::civil::{DateTime, Time as TimeOfDay};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::exit::Failure;

/// Now and here.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// Now.
    pub(crate) now: Timestamp,
    /// Here, where it is not the machine's.
    pub(crate) zone: Option<TimeZone>,
}

impl Clock {
    /// The zone of the machine is looked up when a time is shown, and not before: that reads many folders, and
    /// a run shows none.
    fn here(&self) -> TimeZone {
        self.zone.clone().unwrap_or_else(TimeZone::system)
    }

    /// `in 3h 20m`, `5m ago`, `now`.
    pub(crate) fn relative(&self, time: Time) -> String {
        let away = time.0.duration_since(self.now);
        match away.as_secs() {
            0 => "now".into(),
            1.. => format!("in {}", long(away)),
            _ => format!("{} ago", long(-away)),
        }
    }

    /// `2026-11-23 17:30:00`, local.
    pub(crate) fn local(&self, time: Time) -> String {
        time.0.to_zoned(self.here()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Both.
    pub(crate) fn both(&self, time: Time) -> String {
        format!("{} ({})", self.local(time), self.relative(time))
    }

    /// An instant that is to come: RFC 3339, a local date and time, or a local time of day, which is the next one.
    pub(crate) fn parse_future(&self, text: &str) -> Result<Time, Failure> {
        if let Some(time) = self.parse_exact(text) {
            return Ok(time);
        }
        let today = self.now.to_zoned(self.here()).date();
        let of_day = text.parse::<TimeOfDay>().ok();
        let next = of_day.and_then(|time| {
            let at = |day: jiff::civil::Date| day.to_datetime(time).to_zoned(self.here()).ok();
            let tomorrow = || today.tomorrow().ok().and_then(at);
            at(today).filter(|today| today.timestamp() > self.now).or_else(tomorrow)
        });
        next.map(|zoned| Time(zoned.timestamp())).ok_or_else(|| unreadable(text, "22:00"))
    }

    /// An instant that is past: RFC 3339, a local date or date and time, or a duration such as `2h` before now.
    pub(crate) fn parse_past(&self, text: &str) -> Result<Time, Failure> {
        if let Some(time) = self.parse_exact(text) {
            return Ok(time);
        }
        let span = brevet_core::Span::parse(text).map_err(|_| unreadable(text, "2h"))?;
        let earlier = self.now - SignedDuration::from_secs(span.whole_seconds());
        Ok(Time(earlier))
    }

    fn parse_exact(&self, text: &str) -> Option<Time> {
        if let Ok(time) = text.parse::<Timestamp>() {
            return Some(Time(time));
        }
        let local: DateTime = text.parse().ok()?;
        local.to_zoned(self.here()).ok().map(|zoned| Time(zoned.timestamp()))
    }
}

/// The two largest units: `3h 20m`, `45s`, `2d 1h`.
fn long(duration: SignedDuration) -> String {
    let mut left = duration.as_secs();
    let mut parts = Vec::new();
    for (unit, each) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if left >= each {
            parts.push(format!("{}{unit}", left / each));
        } else if !parts.is_empty() {
            break;
        }
        left %= each;
        if parts.len() == 2 {
            break;
        }
    }
    parts.join(" ")
}

fn unreadable(text: &str, short: &str) -> Failure {
    Failure::Usage(format!(
        "'{text}' is not a time; give for example '2026-11-24 22:00' (local), 2026-11-24T22:00:00Z or {short}"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::console::View;
    use brevet_wire::Time;

    fn at(text: &str) -> Time {
        Time(text.parse().unwrap())
    }

    #[test]
    fn times_are_told_as_people_tell_them() {
        let clock = View::for_tests().clock;
        for (time, told) in [
            ("2026-11-23T16:30:00Z", "now"),
            ("2026-11-23T16:30:45Z", "in 45s"),
            ("2026-11-23T19:50:00Z", "in 3h 20m"),
            ("2026-11-23T19:30:20Z", "in 3h"),
            ("2026-11-25T17:35:00Z", "in 2d 1h"),
            ("2026-11-23T16:25:00Z", "5m ago"),
        ] {
            assert_eq!(clock.relative(at(time)), told, "{time}");
        }
        assert_eq!(clock.both(at("2026-11-23T19:50:00Z")), "2026-11-23 20:50:00 (in 3h 20m)");
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let clock = View::for_tests().clock;
        for (text, time) in [
            ("2026-11-24T22:00:00Z", "2026-11-24T22:00:00Z"),
            ("2026-11-24 22:00", "2026-11-24T21:00:00Z"),
            ("22:00", "2026-11-23T21:00:00Z"),
            ("17:00", "2026-11-24T16:00:00Z"),
        ] {
            assert_eq!(clock.parse_future(text).unwrap(), at(time), "{text}");
        }
        assert_eq!(clock.parse_past("2h").unwrap(), at("2026-11-23T14:30:00Z"));
        assert_eq!(clock.parse_past("2026-11-01").unwrap(), at("2026-10-31T23:00:00Z"));
        assert!(clock.parse_future("soon").is_err());
        assert!(clock.parse_past("-2h").is_err());
    }
}
