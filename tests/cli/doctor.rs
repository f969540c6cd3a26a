//! `doctor`: faults are planted, and each is found with its repair.

use crate::tool::{assert_shape, places};

#[test]
fn a_system_that_is_well_has_no_problem() {
    for place in places() {
        place.fill();
        let ran = place.run(&["doctor", "--json"]);
        assert_eq!(ran.code, 0, "{}: {}{}", place.name, ran.out, ran.err);
        if place.name == "sqlite" {
            assert_shape("doctor", &ran.out);
        }
    }
}
