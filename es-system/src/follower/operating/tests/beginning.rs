//! Where followers begin, and when they go on.

use super::*;

#[test]
fn a_stop_hides_neither_a_pause_nor_a_resumption() {
    let shop = Shop::new("stop", &["A", "B", "A", "B"]);
    shop.poison(&[2]);
    let (one, other) = (shop.program(), shop.program());
    run(&one);
    run(&other);
    assert!(one.stopped().is_some() && other.stopped().is_some());
    shop.operate(OperationKind::Resumed);
    run(&one);
    run(&one);
    assert!(one.stopped().is_some(), "it has failed again");
    let stopped = shop.record().stopped.expect("a stop");
    assert!(stopped.id > shop.record().standing.expect("a resumption").id);
    shop.poison(&[]);
    run(&other);
    assert_eq!(shop.shared.processed(), [1, 2, 3, 4], "it was resumed");

    // The pause comes while a batch is in flight, whose policy fails.
    shop.operate(OperationKind::Paused);
    let error = Error::Usage("no stock".to_owned());
    one.edges()[0].has_stopped_for(&error);
    shop.place(&["A"]);
    for program in [&other, &shop.program()] {
        run(program);
        assert_eq!(shop.shared.processed(), [1, 2, 3, 4], "it is paused");
    }
    shop.operate(OperationKind::Resumed);
    run(&other);
    assert_eq!(shop.shared.processed(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_follower_begins_when_it_looks_at_its_upstream_for_the_first_time() {
    for begin in [Begin::Start, Begin::Now] {
        let shop = Shop::new("stop", &[]);
        let program = shop.program_from(begin);
        run(&program);
        run(&program);
        let began = (OperationKind::Began, Some(0), "the follower".to_owned());
        assert_eq!(shop.operations(), [began]);
        shop.place(&["A", "B"]);
        run(&program);
        assert_eq!(shop.shared.processed(), [1, 2]);
        assert!(shop.past().is_empty());
    }
}

#[test]
fn a_follower_whose_first_move_is_an_operators_knows_what_is_from_the_past() {
    let shop = Shop::new("stop", &["A", "B", "A", "B"]);
    shop.poison(&[1]);
    let program = shop.program();
    run(&program);
    program.skip("Shop", 1, "Ann").expect("it stands there");
    run(&program);
    assert_eq!(shop.past(), [2, 3, 4]);
    let moves: [fn(&Follower) -> Result<()>; 2] = [
        |program| program.start_at("Shop", 2, "Ann"),
        |program| program.skip("Shop", 1, "Ann"),
    ];
    for first in moves {
        let shop = Shop::new("stop", &["A", "B", "A", "B"]);
        first(&shop.program()).expect("a move");
        let program = shop.program();
        run(&program);
        shop.place(&["A"]);
        run(&program);
        assert_eq!(shop.shared.processed(), [2, 3, 4, 5]);
        assert_eq!(shop.past(), [2, 3, 4]);
        assert_eq!(shop.record().began, Some(4));
    }
}

#[test]
fn a_follower_that_begins_above_the_head_is_at_the_head_until_it_begins() {
    for first in [&[][..], &["A", "B"]] {
        let shop = Shop::new("stop", first);
        for _ in first.len()..4 {
            run(&shop.program_from(Begin::At(5)));
            let head = shop.upstream.head().expect("a head");
            let head = head.map_or(0, |head| head.position);
            assert_eq!(shop.record().position.unwrap_or(0), head);
            shop.place(&["A"]);
        }
        shop.place(&["B", "A"]);
        run(&shop.program_from(Begin::At(5)));
        assert_eq!(shop.shared.processed(), [5, 6]);
        assert!(shop.past().is_empty());
        assert_eq!(shop.record().began, Some(4));
    }
}

#[test]
fn a_program_with_another_place_to_begin_moves_no_follower_that_has_begun() {
    let shop = Shop::new("stop", &["A", "B"]);
    run(&shop.program());
    shop.place(&["A", "B"]);
    run(&shop.program_from(Begin::At(4)));
    assert_eq!(shop.shared.processed(), [1, 2, 3, 4]);
}
