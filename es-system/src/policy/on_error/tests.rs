use proptest::prelude::*;

use super::*;

fn retry(times: u32, (shortest, longest): (u64, u64), then: Then) -> OnError {
    let backoff = backoff(shortest, longest);
    OnError::Retry(Retry {
        times,
        backoff,
        then,
    })
}

#[test]
fn a_rule_is_read_with_and_without_quotes_and_with_any_of_its_keys() {
    let by_default = retry(5, (100, 60_000), Then::Stop);
    let cases = [
        ("stop", OnError::Stop),
        (" set_aside ", OnError::SetAside),
        ("retry", by_default),
        ("retry()", by_default),
        ("retry ( )", by_default),
        ("retry(times = 3)", retry(3, (100, 60_000), Then::Stop)),
        (
            "retry(then=set_aside,)",
            retry(5, (100, 60_000), Then::SetAside),
        ),
        (
            "retry(backoff = 2s..5min, times = 1)",
            retry(1, (2_000, 300_000), Then::Stop),
        ),
        (
            "retry(times = 5, backoff = \"100ms .. 60s\", then = \"set_aside\")",
            retry(5, (100, 60_000), Then::SetAside),
        ),
        (
            "retry(backoff = 1ms..1440min)",
            retry(5, (1, 86_400_000), Then::Stop),
        ),
    ];
    for (text, rule) in cases {
        assert_eq!(OnError::parse(text), Ok(rule), "{text}");
    }
}

#[test]
fn a_rule_that_cannot_be_read_is_told_by_its_key_and_what_is_expected() {
    let cases = [
        ("Stop", "`stop`, `set_aside`, `retry`, or"),
        ("set-aside", "`stop`, `set_aside`, `retry`, or"),
        ("stop()", "`stop`, `set_aside`, `retry`, or"),
        ("skip(3)", "`stop`, `set_aside`, `retry`, or"),
        ("retry(times = 5", "does not end with `)`"),
        ("retry(times = 0)", "`times` is a whole number from 1"),
        ("retry(times = -1)", "`times` is a whole number from 1"),
        ("retry(times)", "`times` is a whole number from 1"),
        ("retry(then)", "`then` is `stop` or `set_aside`"),
        ("retry(then = retry)", "`then` is `stop` or `set_aside`"),
        ("retry(then = stop, then = stop)", "`then` is given twice"),
        ("retry(tries = 5)", "`retry` has no `tries`; it has"),
        ("retry(5)", "`retry` has no `5`; it has"),
        ("retry(,)", "`retry` has no ``; it has"),
        ("retry(backoff = 5s)", "`backoff` is two pauses from 1ms"),
        ("retry(backoff = 1..2)", "`backoff` is two pauses from 1ms"),
        ("retry(backoff = 0ms..2s)", "`backoff` is two pauses"),
        ("retry(backoff = +1s..2s)", "`backoff` is two pauses"),
        ("retry(backoff = 1.5s..2s)", "`backoff` is two pauses"),
        ("retry(backoff = 1s..2h)", "`backoff` is two pauses"),
        ("retry(backoff = 1s..1441min)", "`backoff` is two pauses"),
        (
            "retry(backoff = 60s..100ms)",
            "`backoff` begins with the shortest pause",
        ),
    ];
    for (text, expected) in cases {
        let problem = OnError::parse(text).expect_err(text);
        assert!(problem.contains(expected), "{text}: {problem}");
    }
}

#[test]
fn a_pause_is_shown_in_the_unit_in_which_it_is_written() {
    let cases = [
        (100, "100ms"),
        (1_000, "1s"),
        (1_500, "1500ms"),
        (60_000, "60s"),
        (90_000, "90s"),
        (120_000, "2min"),
        (86_400_000, "1440min"),
    ];
    for (millis, text) in cases {
        assert_eq!(pause(Duration::from_millis(millis)), text);
    }
    let rule = retry(5, (100, 60_000), Then::SetAside).to_string();
    assert_eq!(
        rule,
        "retry(times = 5, backoff = \"100ms..60s\", then = set_aside)"
    );
}

fn rules() -> impl Strategy<Value = OnError> {
    let millis = 1..=86_400_000_u64;
    let pause = prop_oneof![
        millis,
        (1..=86_400_u64).prop_map(|seconds| seconds * 1_000),
        (1..=1_440_u64).prop_map(|minutes| minutes * 60_000),
    ];
    let then = prop_oneof![Just(Then::Stop), Just(Then::SetAside)];
    let retry = (1_u32.., pause.clone(), pause, then)
        .prop_map(|(times, one, other, then)| retry(times, (one.min(other), one.max(other)), then));
    prop_oneof![Just(OnError::Stop), Just(OnError::SetAside), retry]
}

proptest! {
    #[test]
    fn what_is_shown_is_read_as_the_same_rule(rule in rules()) {
        let text = rule.to_string();
        prop_assert_eq!(OnError::parse(&text), Ok(rule), "{}", text);
        let bare = text.replace(['"', ' '], "");
        prop_assert_eq!(OnError::parse(&bare), Ok(rule), "{}", bare);
    }

    #[test]
    fn no_text_is_a_panic(text in "(retry)?[(]?[a-z0-9_=., \"µ)-]{0,40}[)]?") {
        if let Ok(rule) = OnError::parse(&text) {
            prop_assert_eq!(OnError::parse(&rule.to_string()), Ok(rule));
        }
    }
}
