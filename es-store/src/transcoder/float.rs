//! Writes floats as Python's `repr` does.

use std::io;

use serde_json::ser::Formatter;

/// Compact JSON with Python's floats: the shortest digits that read back as the same number. The
/// exponent has at least two digits and is used below -4 and from 16 on; otherwise there is a
/// decimal point.
pub(super) struct Python;

impl Formatter for Python {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let shortest = format!("{value:e}");
        let even = half_to_even(value, &shortest);
        write_float(writer, even.as_deref().unwrap_or(&shortest))
    }

    fn write_f32<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        write_float(writer, &format!("{value:e}"))
    }
}

/// Returns Python's choice of two shortest forms that are equally near: Rust takes the upper one,
/// and Python the even one. Both read back as the same number. There are two only where one digit
/// is worth less than the precision of the float.
fn half_to_even(value: f64, shortest: &str) -> Option<String> {
    const ALWAYS_EXACT: usize = 14;
    let mantissa = shortest.split('e').next().unwrap_or_default();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    if digits <= ALWAYS_EXACT {
        return None;
    }
    let even = format!("{value:.*e}", digits - 1);
    (even.parse() == Ok(value)).then_some(even)
}

/// Writes a float. `scientific` has the form `-1.25e-7`.
fn write_float<W: ?Sized + io::Write>(writer: &mut W, scientific: &str) -> io::Result<()> {
    let no_number = || io::Error::other("no number");
    let (mantissa, exponent) = scientific.split_once('e').ok_or_else(no_number)?;
    let exponent: i32 = exponent.parse().map_err(io::Error::other)?;
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return write!(writer, "{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let places = exponent.unsigned_abs() as usize;
    if exponent < 0 {
        write!(writer, "{sign}0.{:0>width$}{rest}", first, width = places)
    } else if rest.len() <= places {
        write!(writer, "{sign}{first}{rest:0<places$}.0")
    } else {
        let (whole, fraction) = rest.split_at(places);
        write!(writer, "{sign}{first}{whole}.{fraction}")
    }
}
