//! Decimal numbers, stored as the Python library stores its `Decimal`.

use std::fmt;
use std::iter::Sum;
use std::ops::{
    Add, AddAssign, Deref, DerefMut, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub,
    SubAssign,
};
use std::str::FromStr;

/// A decimal number as a field of an event: a [`rust_decimal::Decimal`], to which it derefs.
///
/// It is stored as `{"_type_":"decimal_str","_data_":"10.00"}`, with its trailing zeros. A plain
/// [`rust_decimal::Decimal`] would be stored as text, which Python does not read as a `Decimal`. It
/// has up to 28 digits. A stored number with more digits is an error, and is never rounded.
///
/// ```
/// use es_core::Decimal;
///
/// let price: Decimal = "10.00".parse()?;
/// assert_eq!(price.to_string(), "10.00");
/// let fee = Decimal::new(50, 2) * Decimal::from(3);
/// assert_eq!((price + fee).to_string(), "11.50");
/// # Ok::<(), es_core::rust_decimal::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(pub rust_decimal::Decimal);

crate::transcoding!("decimal_str", Decimal);

impl FromStr for Decimal {
    type Err = rust_decimal::Error;

    /// Parses a number, which Python may have written with an exponent, such as `1E+5`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = match text.split_once(['e', 'E']) {
            None => rust_decimal::Decimal::from_str_exact(text)?,
            Some((digits, _)) => {
                // Parsing with the exponent would round excess digits.
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

impl Decimal {
    /// Creates the number `number` / 10^`scale`: `new(1150, 2)` is 11.50.
    ///
    /// # Panics
    /// When the number has more than 28 digits.
    pub fn new(number: i64, scale: u32) -> Self {
        Self(rust_decimal::Decimal::new(number, scale))
    }
}

macro_rules! operators {
    ($($operator:ident $method:ident, $assign:ident $assign_method:ident;)*) => {$(
        /// The operation of `rust_decimal`. It panics if the result has too many digits.
        impl $operator for Decimal {
            type Output = Self;

            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0))
            }
        }

        impl $assign for Decimal {
            fn $assign_method(&mut self, other: Self) {
                self.0.$assign_method(other.0);
            }
        }
    )*};
}

operators! {
    Add add, AddAssign add_assign;
    Sub sub, SubAssign sub_assign;
    Mul mul, MulAssign mul_assign;
    Div div, DivAssign div_assign;
    Rem rem, RemAssign rem_assign;
}

impl Neg for Decimal {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Decimal {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::default(), Add::add)
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self(number.into())
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
