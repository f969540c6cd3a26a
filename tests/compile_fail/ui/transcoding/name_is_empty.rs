use std::fmt;
use std::str::FromStr;

use es_system::{Transcoding, transcoding};

const LENGTH: Transcoding = transcoding!("");

pub struct Weight(u64);

transcoding!(r"", Weight);

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Weight {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

fn main() {}
