use super::{BadSpan, Span, Timestamp};

#[test]
fn a_duration_reads_as_people_write_it() {
    for (text, seconds) in
        [("45s", 45), ("90m", 5_400), ("2h", 7_200), ("1h30m", 5_400), ("1d", 86_400), (" 2h ", 7_200)]
    {
        assert_eq!(Span::parse(text).map(Span::whole_seconds), Ok(seconds), "{text}");
    }
}

#[test]
fn zero_negative_overflow_and_nonsense_are_refused() {
    for (text, why) in [
        ("0h", BadSpan::NotPositive),
        ("-1h", BadSpan::NotPositive),
        ("", BadSpan::Unreadable),
        ("h", BadSpan::Unreadable),
        ("4", BadSpan::Unreadable),
        ("4 h", BadSpan::Unreadable),
        ("1.5h", BadSpan::Unreadable),
        ("4w", BadSpan::Unreadable),
        ("999999999999999999999h", BadSpan::TooLong),
        ("9223372036854775807d", BadSpan::TooLong),
        ("87841h", BadSpan::TooLong),
    ] {
        assert_eq!(Span::parse(text), Err(why), "{text}");
    }
    assert!(Span::parse("87840h").is_ok());
}

#[test]
fn what_is_printed_reads_back() {
    for seconds in [1, 59, 60, 3_600, 5_400, 86_399, 86_400, 1_000_000] {
        let span = Span::from_seconds(seconds).unwrap();
        assert_eq!(Span::parse(&span.to_string()), Ok(span));
    }
}

#[test]
fn no_time_left_is_none_and_never_a_length() {
    let now = Timestamp::from_micros(10);
    assert_eq!(now.until(Timestamp::from_micros(10)), None);
    assert_eq!(now.until(Timestamp::from_micros(9)), None);
    assert_eq!(now.until(Timestamp::from_micros(11)).map(Span::micros), Some(1));
    assert_eq!(Timestamp::MAX.plus(Span::hours(1)), Timestamp::MAX);
}
