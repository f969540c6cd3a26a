//! The text of a rule, as an operator writes it in the environment.

use std::time::Duration;

use es_store::backoff::Backoff;

use super::{LONGEST_PAUSE, OnError, Retry, Then};

const RULES: &str = "`stop`, `set_aside`, `retry`, or `retry(times = 5, backoff = \"100ms..60s\", then = set_aside)`";

/// The units of a pause, each with its milliseconds.
const UNITS: [(&str, u64); 3] = [("ms", 1), ("min", 60_000), ("s", 1_000)];

/// Reads a rule. The error describes the expected text.
pub(super) fn rule(text: &str) -> Result<OnError, String> {
    let text = text.trim();
    match text {
        "stop" => return Ok(OnError::Stop),
        "set_aside" => return Ok(OnError::SetAside),
        "retry" => return Ok(OnError::Retry(Retry::DEFAULT)),
        _ => {}
    }
    let Some((word, behind)) = text.split_once('(') else {
        return Err(RULES.to_owned());
    };
    if word.trim_end() != "retry" {
        return Err(RULES.to_owned());
    }
    let keys = behind.strip_suffix(')').ok_or_else(|| {
        let problem = "the list of `retry` does not end with `)`".to_owned();
        wrong(&problem)
    })?;
    retry(keys)
        .map(OnError::Retry)
        .map_err(|problem| wrong(&problem))
}

fn wrong(problem: &str) -> String {
    format!("a rule for events whose policy fails: {problem}")
}

/// Reads what stands between the parentheses. A comma may stand behind the last key.
fn retry(keys: &str) -> Result<Retry, String> {
    let mut retry = Retry::DEFAULT;
    let mut seen = Vec::new();
    let keys = keys.trim();
    if keys.is_empty() {
        return Ok(retry);
    }
    for item in keys.strip_suffix(',').unwrap_or(keys).split(',') {
        let (key, value) = item.split_once('=').unwrap_or((item, ""));
        let (key, value) = (key.trim(), unquoted(value.trim()));
        if seen.contains(&key) {
            return Err(format!("`{key}` is given twice"));
        }
        match key {
            "times" => retry.times = times(value)?,
            "backoff" => retry.backoff = backoff(value)?,
            "then" => retry.then = then(value)?,
            _ => {
                return Err(format!(
                    "`retry` has no `{key}`; it has `times`, `backoff` and `then`"
                ));
            }
        }
        seen.push(key);
    }
    Ok(retry)
}

fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix('"');
    let inner = inner.and_then(|value| value.strip_suffix('"'));
    inner.unwrap_or(value)
}

fn times(value: &str) -> Result<u32, String> {
    let times = value.parse().ok().filter(|times| *times > 0);
    times.ok_or_else(|| "`times` is a whole number from 1, as in `times = 5`".to_owned())
}

fn then(value: &str) -> Result<Then, String> {
    match value {
        "stop" => Ok(Then::Stop),
        "set_aside" => Ok(Then::SetAside),
        _ => Err("`then` is `stop` or `set_aside`".to_owned()),
    }
}

fn backoff(value: &str) -> Result<Backoff, String> {
    let pauses = value.split_once("..");
    let pauses = pauses.and_then(|(shortest, longest)| Some((pause(shortest)?, pause(longest)?)));
    match pauses {
        Some((shortest, longest)) if shortest <= longest => Ok(Backoff::new(shortest, longest)),
        Some(_) => Err(
            "`backoff` begins with the shortest pause and ends with the longest one, as in \
             `backoff = \"100ms..60s\"`"
                .to_owned(),
        ),
        None => Err(
            "`backoff` is two pauses from 1ms to 1440min, each a whole number with `ms`, `s` or \
             `min`, as in `backoff = \"100ms..60s\"`"
                .to_owned(),
        ),
    }
}

fn pause(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, millis) = UNITS
        .iter()
        .find_map(|(unit, millis)| Some((text.strip_suffix(unit)?, millis)))?;
    // `parse` takes a sign, too.
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let pause = Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(*millis)?);
    (!pause.is_zero() && pause <= LONGEST_PAUSE).then_some(pause)
}
