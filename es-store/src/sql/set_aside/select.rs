//! The query for what is set aside.

use super::{COLUMNS, is_before_all};
use crate::error::StoreError;
use crate::set_aside::SetAsideQuery;
use crate::sql::limits::row_limit;
use crate::sql::names::AsideNames;
use crate::sql::transaction::Value;
use crate::sql::values::{number, text, time};

/// The maximal number of sequences of a query. The databases limit the number of parameters.
const MAX_SEQUENCES: usize = 16_384;

/// Returns the statement of a query, and its parameters.
pub(crate) fn select(
    names: &AsideNames,
    query: &SetAsideQuery,
) -> Result<(String, Vec<Value>), StoreError> {
    let mut conditions = vec!["1 = 1".to_owned()];
    let mut params = Vec::new();
    let mut compare = |condition: &str, value: Value| {
        params.push(value);
        conditions.push(format!("{condition} ${}", params.len()));
    };
    if let Some(upstream) = &query.upstream {
        compare("t.upstream =", text(upstream));
    }
    if let Some(above) = query.above {
        compare("t.position >", number(above));
    }
    if let Some(up_to) = query.up_to {
        compare("t.position <=", number(up_to));
    }
    if let Some(due) = query.due {
        compare("t.due <=", time(due));
    }
    match query.decided {
        Some(true) => conditions.push("t.decision IS NOT NULL".to_owned()),
        Some(false) => conditions.push("t.decision IS NULL".to_owned()),
        None => {}
    }
    if query.firsts {
        conditions.push("t.decision IS NULL".to_owned());
        conditions.push(is_before_all(&names.failures));
    }
    if let Some(sequences) = &query.sequences {
        let first = params.len() + 1;
        params.extend(padded(sequences)?);
        let all = (first..=params.len()).map(|number| format!("${number}"));
        let all = all.collect::<Vec<_>>().join(", ");
        conditions.push(format!("t.sequence IN ({all})"));
    }
    // A row that has failed is due later than before, so each one has its turn.
    let order = match query.due {
        Some(_) => "t.due, t.upstream, t.position",
        None => "t.upstream, t.position",
    };
    params.push(Value::Integer(row_limit(query.limit.unwrap_or(usize::MAX))));
    let sql = format!(
        "SELECT {COLUMNS} FROM {} AS t WHERE {} ORDER BY {order} LIMIT ${}",
        names.failures,
        conditions.join(" AND "),
        params.len()
    );
    Ok((sql, params))
}

/// Returns the sequences as parameters. The last one is repeated up to a power of two, so that
/// there are few different statements.
fn padded(sequences: &[String]) -> Result<Vec<Value>, StoreError> {
    if sequences.len() > MAX_SEQUENCES {
        let problem = format!("more than {MAX_SEQUENCES} sequences are selected at once");
        return Err(StoreError::Invalid(problem));
    }
    let count = sequences.len().next_power_of_two();
    // No sequence is empty, so this one is never found.
    let nothing = String::new();
    let last = sequences.last().cloned().unwrap_or(nothing);
    let all = sequences.iter().cloned();
    let padded = all.chain(std::iter::repeat(last)).take(count);
    Ok(padded.map(Value::Text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> AsideNames {
        AsideNames {
            failures: "failures".to_owned(),
            operations: "operations".to_owned(),
            meta: "meta".to_owned(),
        }
    }

    #[test]
    fn queries_for_any_number_of_sequences_have_few_statements() {
        let mut statements = std::collections::HashSet::new();
        for count in 0..=1000 {
            let sequences = (0..count).map(|number| number.to_string()).collect();
            let query = SetAsideQuery::of("Up").firsts().sequences(sequences);
            let (sql, params) = select(&names(), &query).expect("a statement");
            assert!(sql.ends_with(&format!("LIMIT ${}", params.len())), "{sql}");
            statements.insert(sql);
        }
        assert_eq!(statements.len(), 11);
    }

    #[test]
    fn too_many_sequences_are_refused() {
        let query = SetAsideQuery::all().sequences(vec!["a".to_owned(); MAX_SEQUENCES + 1]);
        assert!(matches!(
            select(&names(), &query),
            Err(StoreError::Invalid(_))
        ));
    }
}
