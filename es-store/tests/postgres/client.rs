//! The client through which handlers reach the driver's own functions, on a connection of its own.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use es_store::postgres::driver::{Client, Row, Statement, ToSql};

use super::database;

const LONG: Duration = Duration::from_secs(30);

fn count(client: &mut Client) -> i64 {
    let count = client.query_one("SELECT count(*) FROM things", &[]);
    count.expect("a count").get(0)
}

fn numbers(rows: &[Row]) -> Vec<i32> {
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn statements_that_are_sent_together_are_answered_in_their_order_each_by_itself() {
    let Some(database) = database() else { return };
    let mut client = database.connect();
    let divide = client.prepare("SELECT 12 / $1::int").expect("prepared");
    let params: [&[&(dyn ToSql + Sync)]; 4] = [&[&3], &[&0], &[&4], &[&"no number"]];
    let sent: Vec<_> = params.iter().map(|params| (&divide, *params)).collect();
    let answers = client.pipeline(&sent).expect("answers");
    assert_eq!(answers.len(), 4);
    assert_eq!(numbers(answers[0].as_ref().expect("a row")), [4]);
    let refused = answers[1].as_ref().expect_err("refused");
    assert_eq!(refused.code().map(|code| code.code()), Some("22012"));
    assert_eq!(numbers(answers[2].as_ref().expect("a row")), [3]);
    assert!(answers[3].is_err());
    assert!(client.pipeline(&[]).expect("no answers").is_empty());
}

/// Neither side can send more before the other has read something.
#[test]
fn what_is_too_large_for_both_sockets_goes_both_ways_at_once() {
    let Some(database) = database() else { return };
    let mut client = database.connect();
    let echo = client.prepare("SELECT $1::bytea").expect("prepared");
    let large = vec![7_u8; 4 * 1024 * 1024];
    let params: &[&(dyn ToSql + Sync)] = &[&large];
    let sent: Vec<(&Statement, _)> = vec![(&echo, params); 8];
    for answer in client.pipeline(&sent).expect("answers") {
        let rows = answer.expect("a row");
        assert!(rows[0].get::<_, &[u8]>(0) == large, "other bytes came back");
    }
}

#[test]
fn a_transaction_that_is_dropped_is_rolled_back_and_one_within_it_alone() {
    let Some(database) = database() else { return };
    let mut client = database.connect();
    let create = "CREATE TABLE things (number int)";
    client.batch_execute(create).expect("a table");
    let insert = "INSERT INTO things VALUES (1)";
    let mut tx = client.transaction().expect("a transaction");
    tx.execute(insert, &[]).expect("inserted");
    drop(tx);
    assert_eq!(count(&mut client), 0);

    let mut tx = client.transaction().expect("a transaction");
    tx.execute(insert, &[]).expect("inserted");
    for is_kept in [true, false, false] {
        let mut inner = tx.transaction().expect("a transaction within");
        inner.execute(insert, &[]).expect("inserted");
        if is_kept {
            inner.commit().expect("kept");
        } else {
            inner
                .execute("SELECT 1 / 0", &[])
                .expect_err("it cannot be divided");
        }
    }
    tx.commit().expect("committed");
    assert_eq!(count(&mut client), 2);
}

#[test]
fn rows_are_copied_to_the_server_and_back() {
    let Some(database) = database() else { return };
    let mut client = database.connect();
    let create = "CREATE TABLE things (number int)";
    client.batch_execute(create).expect("a table");
    let rows: String = (0..50_000).map(|number| format!("{number}\n")).collect();
    let mut writer = client
        .copy_in("COPY things FROM STDIN")
        .expect("copying begins");
    writer.write_all(rows.as_bytes()).expect("rows are sent");
    assert_eq!(writer.finish().expect("copied"), 50_000);
    // A writer that is not finished copies nothing.
    let mut writer = client
        .copy_in("COPY things FROM STDIN")
        .expect("copying begins");
    writer.write_all(b"1\n").expect("a row is sent");
    drop(writer);
    assert_eq!(count(&mut client), 50_000);
    let mut copied = String::new();
    let mut reader = client
        .copy_out("COPY (SELECT number FROM things ORDER BY number) TO STDOUT")
        .expect("copying begins");
    reader.read_to_string(&mut copied).expect("rows come");
    assert!(copied == rows, "other rows came back");
    assert_eq!(count(&mut client), 50_000);
}

#[test]
fn a_notification_comes_while_nothing_is_asked_and_while_something_is() {
    let Some(database) = database() else { return };
    let (mut client, mut other) = (database.connect(), database.connect());
    client.batch_execute("LISTEN news").expect("listening");
    assert!(
        client
            .next_notification(Duration::ZERO)
            .expect("none")
            .is_none()
    );
    std::thread::scope(|scope| {
        let heard = scope.spawn(|| client.next_notification(LONG));
        other.batch_execute("NOTIFY news, 'idle'").expect("sent");
        let heard = heard.join().expect("no panic").expect("no error");
        assert_eq!(heard.expect("a notification").payload(), "idle");
    });
    other.batch_execute("NOTIFY news, 'busy'").expect("sent");
    client.check_connection().expect("an answer");
    let heard = client.next_notification(LONG).expect("no error");
    assert_eq!(heard.expect("a notification").payload(), "busy");
}

#[test]
fn a_client_that_was_cut_off_is_closed_and_says_why() {
    let Some(database) = database() else { return };
    let (mut client, mut other) = (database.connect(), database.connect());
    let process: i32 = client
        .query_one("SELECT pg_backend_pid()", &[])
        .expect("a number")
        .get(0);
    let cut = "SELECT pg_terminate_backend($1, 30000)";
    other.execute(cut, &[&process]).expect("cut off");
    let error = client.check_connection().expect_err("it is cut off");
    assert_eq!(error.code().map(|code| code.code()), Some("57P01"));
    assert!(client.is_closed());
    let error = client.check_connection().expect_err("it is closed");
    assert!(error.is_closed());
    assert!(client.next_notification(LONG).is_err());
}
