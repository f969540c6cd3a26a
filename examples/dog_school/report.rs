//! The printed counts and stored rows.

use es_system::Application;
use es_system::prelude::*;
use es_system::store::NotificationQuery;

/// Prints how often each trick was counted.
pub fn counts(tricks: [&str; 3], counts: [u64; 3]) {
    let row = tricks
        .iter()
        .zip(counts)
        .map(|(trick, count)| format!("{trick} {count}"));
    println!("counts: {}", row.collect::<Vec<_>>().join(", "));
}

/// Prints the stored events of an application, and its position in the one that it follows.
pub fn rows(application: &Application, upstream: Option<&str>) -> Result<()> {
    println!("{}:", application.name());
    println!(
        "  {:>2}  {:<36}  {:>7}  {:<29}  state",
        "id", "originator_id", "version", "topic"
    );
    for row in application
        .notification_log()
        .query(&NotificationQuery::all())?
    {
        let sealed = || format!("({} bytes, sealed)", row.state.len());
        let state = String::from_utf8(row.state.clone()).unwrap_or_else(|_| sealed());
        let (id, version) = (row.id, row.originator_version);
        println!(
            "  {id:>2}  {:<36}  {version:>7}  {:<29}  {state}",
            row.originator_id, row.topic
        );
    }
    if let Some(upstream) = upstream {
        let position = application.position_in(upstream)?.unwrap_or(0);
        println!("  tracking: {upstream} {position}");
    }
    Ok(())
}
