//! `verify`.

use crate::tool::{Place, assert_shape, places, sqlite};

fn sql(place: &Place, application: &str, statement: &str) {
    let connection = rusqlite::Connection::open(place.file(application)).expect("the file");
    connection.execute_batch(statement).expect("it is executed");
}

#[test]
fn a_log_that_is_whole_is_good() {
    for place in places() {
        place.fill();
        assert_shape("verify", &place.good(&["verify", "--json"]));
        let text = place.good(&["verify", "DogSchool"]);
        assert_eq!(text, "DogSchool: ok: 5 events up to position 5\n");
    }
}

#[test]
fn faults_are_found_each_with_its_position() {
    let place = sqlite();
    place.fill();
    place.fall_behind();
    // The gap: the second event of Fido is gone. The state of the next is no JSON, and the topic
    // behind it no text.
    sql(
        &place,
        "DogSchool",
        "DELETE FROM stored_events WHERE rowid = 2",
    );
    sql(
        &place,
        "DogSchool",
        "UPDATE stored_events SET state = x'00' WHERE rowid = 4",
    );
    sql(
        &place,
        "DogSchool",
        "UPDATE stored_events SET topic = NULL WHERE rowid = 5",
    );
    sql(
        &place,
        "TrickTable",
        "UPDATE tracking SET notification_id = 99",
    );
    let ran = place.run(&["verify", "--json"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert_shape("verify_faults", &hide_folder(&place, &ran.out));
}

fn hide_folder(place: &Place, out: &str) -> String {
    out.replace(&place.folder.path().display().to_string(), "FOLDER")
}
