//! Points in time for people: in UTC and in the zone of who reads, always both.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Such as `2026-11-05 10:00 UTC (11:00 CET)`; the day of the zone too where it is another. In a zone that is UTC once.
pub fn both(at: Timestamp, zone: &TimeZone) -> String {
    let (utc, local) = (at.to_zoned_datetime(TimeZone::UTC), at.to_zoned_datetime(zone.clone()));
    let shown = utc.strftime("%Y-%m-%d %H:%M UTC").to_string();
    if local.offset().is_zero() && local.strftime("%Z").to_string() == "UTC" {
        return shown;
    }
    let form = if local.date() == utc.date() { "%H:%M %Z" } else { "%Y-%m-%d %H:%M %Z" };
    format!("{shown} ({})", local.strftime(form))
}

/// In the zone of who reads only, such as `2026-11-05T11:00:00+01:00`.
pub fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The same in fewer letters, such as `11-05 10:00 UTC (11:00 CET)`.
pub fn short(at: Timestamp, zone: &TimeZone) -> String {
    let year = at.strftime("%Y-").to_string();
    both(at, zone).replace(&year, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::Offset;

    #[test]
    fn both_zones_are_told_over_the_change_of_the_clocks() {
        // Central Europe by its rule, without a table of zones.
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a rule");
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        for (when, shown) in [
            ("2026-03-29T00:59:00Z", "2026-03-29 00:59 UTC (01:59 CET)"),
            ("2026-03-29T01:00:00Z", "2026-03-29 01:00 UTC (03:00 CEST)"),
            ("2026-10-25T00:30:00Z", "2026-10-25 00:30 UTC (02:30 CEST)"),
            ("2026-10-25T01:30:00Z", "2026-10-25 01:30 UTC (02:30 CET)"),
            ("2026-12-31T23:30:00Z", "2026-12-31 23:30 UTC (2027-01-01 00:30 CET)"),
        ] {
            assert_eq!(both(at(when), &berlin), shown);
        }
        assert_eq!(both(at("2026-03-29T01:00:00Z"), &TimeZone::UTC), "2026-03-29 01:00 UTC");
        assert_eq!(short(at("2026-10-25T01:30:00Z"), &berlin), "10-25 01:30 UTC (02:30 CET)");
        let far = TimeZone::fixed(Offset::constant(14));
        assert_eq!(
            short(at("2026-12-31T12:00:00Z"), &far),
            "12-31 12:00 UTC (2027-01-01 02:00 +14)"
        );
    }
}
