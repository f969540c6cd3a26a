//! Decimal numbers, stored as the Python library stores its `Decimal`.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::str::FromStr;

/// A decimal number as a field of an event: a [`rust_decimal::Decimal`], to which it derefs.
///
/// It is stored as `{"_type_":"decimal_str","_data_":"10.00"}`, with its trailing zeros. On its own that type would be
/// stored as plain text, which Python would not read as a `Decimal`. It has up to 28 digits; a stored number with more
/// is an error, and never rounded.
///
/// ```
/// use es_core::Decimal;
///
/// let price: Decimal = "10.00".parse()?;
/// assert_eq!(price.to_string(), "10.00");
/// let double = Decimal(*price + *price);
/// assert!(double > price && double.scale() == 2);
/// # Ok::<(), es_core::rust_decimal::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(pub rust_decimal::Decimal);

crate::transcoding!("decimal_str", Decimal);

impl FromStr for Decimal {
    type Err = rust_decimal::Error;

    /// Python writes some numbers with an exponent, such as `1E+5`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = match text.split_once(['e', 'E']) {
            None => rust_decimal::Decimal::from_str_exact(text)?,
            Some((digits, _)) => {
                // With an exponent it would round digits that are too many.
                rust_decimal::Decimal::from_str_exact(digits)?;
                rust_decimal::Decimal::from_scientific(text)?
            }
        };
        Ok(Self(number))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Deref for Decimal {
    type Target = rust_decimal::Decimal;

    fn deref(&self) -> &rust_decimal::Decimal {
        &self.0
    }
}

impl DerefMut for Decimal {
    fn deref_mut(&mut self) -> &mut rust_decimal::Decimal {
        &mut self.0
    }
}

impl From<rust_decimal::Decimal> for Decimal {
    fn from(number: rust_decimal::Decimal) -> Self {
        Self(number)
    }
}

impl From<Decimal> for rust_decimal::Decimal {
    fn from(number: Decimal) -> Self {
        number.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_python_writes_them_and_never_rounded() {
        for (text, shown) in [
            ("10.00", "10.00"),
            ("-0.001", "-0.001"),
            (
                "12345678901234567890.123456789",
                "12345678901234567890.123456789",
            ),
            ("1E+5", "100000"),
            ("1.50E+1", "15.0"),
            ("1E-7", "0.0000001"),
            ("0E-10", "0.0000000000"),
        ] {
            assert_eq!(text.parse::<Decimal>().expect(text).to_string(), shown);
        }
        for text in [
            "",
            "NaN",
            "sNaN",
            "Infinity",
            "-Infinity",
            "1E+30",
            "1E+4000000000",
            "1E+99999999999999999999",
            "1E-30",
            "E5",
            "1E",
            "1e--5",
            "0.12345678901234567890123456789",
            "0.12345678901234567890123456789E+1",
            "123456789012345678901234567890",
            "0x10",
            "ten",
        ] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }
}
