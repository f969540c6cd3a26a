//! Conversion of values to and from PostgreSQL's types.

use std::error::Error;

use es_core::Timestamp;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::postgres::codes::BadParameter;
use crate::sql::transaction::{Value, exact};

/// The microseconds from 1970 to 2000, which is the epoch of PostgreSQL.
const EPOCH: i64 = 946_684_800_000_000;

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let is_text = is_text(ty);
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Boolean(value) if *ty == Type::BOOL => value.to_sql(ty, out),
            Self::Integer(value) if *ty == Type::INT8 => value.to_sql(ty, out),
            Self::Integer(value) if *ty == Type::INT4 => {
                fitting::<i32>(*value, ty)?.to_sql(ty, out)
            }
            Self::Integer(value) if *ty == Type::INT2 => {
                fitting::<i16>(*value, ty)?.to_sql(ty, out)
            }
            Self::Integer(value) if *ty == Type::FLOAT8 => {
                exact(*value).ok_or_else(|| too_large(ty))?.to_sql(ty, out)
            }
            Self::Real(value) if *ty == Type::FLOAT8 => value.to_sql(ty, out),
            Self::Real(value) if *ty == Type::FLOAT4 => single(*value)?.to_sql(ty, out),
            Self::Text(value) if value.contains('\0') => Err(bad(
                "a text with a zero byte was given, which PostgreSQL cannot keep",
            )),
            Self::Text(value) if is_text => value.to_sql(&Type::TEXT, out),
            Self::Text(value) if *ty == Type::JSONB => {
                out.extend_from_slice(&[1]);
                value.to_sql(&Type::TEXT, out)
            }
            // The errors of these parsers would contain the value.
            Self::Text(value) if *ty == Type::UUID => {
                let id: Uuid = value
                    .parse()
                    .map_err(|_| bad("a text was given that is no UUID"))?;
                id.to_sql(ty, out)
            }
            Self::Text(value) if is_time(ty) => {
                let time = value
                    .parse()
                    .map_err(|_| bad("the given text is not a time"))?;
                Self::Timestamp(time).to_sql(ty, out)
            }
            Self::Bytes(value) if *ty == Type::BYTEA => value.to_sql(ty, out),
            Self::Uuid(value) if *ty == Type::UUID => value.to_sql(ty, out),
            Self::Uuid(value) if is_text => value.to_string().to_sql(&Type::TEXT, out),
            Self::Timestamp(value) if is_time(ty) => {
                (value.as_micros() - EPOCH).to_sql(&Type::INT8, out)
            }
            Self::Timestamp(value) if is_text => value.to_string().to_sql(&Type::TEXT, out),
            _ => {
                let kind = self.kind();
                Err(bad(format!(
                    "{kind} was given where the statement takes {ty}"
                )))
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *ty {
            Type::BOOL => Self::Boolean(bool::from_sql(ty, raw)?),
            Type::INT8 => Self::Integer(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Integer(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Self::Integer(i16::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Self::Real(f64::from_sql(ty, raw)?),
            Type::FLOAT4 => Self::Real(f32::from_sql(ty, raw)?.into()),
            Type::BYTEA => Self::Bytes(raw.to_vec()),
            Type::UUID => Self::Uuid(Uuid::from_sql(ty, raw)?),
            Type::JSONB => Self::Text(String::from_sql(
                &Type::TEXT,
                raw.get(1..).unwrap_or_default(),
            )?),
            _ if is_text(ty) => Self::Text(String::from_sql(&Type::TEXT, raw)?),
            _ if is_time(ty) => {
                let micros = i64::from_sql(&Type::INT8, raw)?.checked_add(EPOCH);
                let time = micros.and_then(Timestamp::from_micros);
                Self::Timestamp(time.ok_or("the time is outside of the years 1 to 9999")?)
            }
            _ => {
                return Err(format!(
                    "it is of the type {ty}, which is not read here: cast it in the query"
                )
                .into());
            }
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn bad(problem: impl Into<String>) -> Box<dyn Error + Sync + Send> {
    Box::new(BadParameter(problem.into()))
}

fn fitting<T: TryFrom<i64>>(value: i64, ty: &Type) -> Result<T, Box<dyn Error + Sync + Send>> {
    T::try_from(value).map_err(|_| too_large(ty))
}

fn too_large(ty: &Type) -> Box<dyn Error + Sync + Send> {
    bad(format!("a number was given that is too large for {ty}"))
}

/// Returns the same number in single precision.
fn single(value: f64) -> Result<f32, Box<dyn Error + Sync + Send>> {
    let single = value as f32;
    if value.is_nan() || f64::from(single) == value {
        return Ok(single);
    }
    Err(bad(
        "a number was given that REAL cannot keep exactly: the column should be DOUBLE PRECISION",
    ))
}

fn is_text(ty: &Type) -> bool {
    [
        Type::TEXT,
        Type::VARCHAR,
        Type::BPCHAR,
        Type::NAME,
        Type::UNKNOWN,
        Type::JSON,
    ]
    .contains(ty)
}

fn is_time(ty: &Type) -> bool {
    [Type::TIMESTAMPTZ, Type::TIMESTAMP].contains(ty)
}
