//! Circles between modules with the same parent.
//!
//! An arrow leads from a module to the one that defines a name that it uses, also if it uses a
//! re-export. The arrow counts between the two ancestors of its ends that have the same parent: an
//! arrow from `a::x` to `b::y` leads from `a` to `b`. No arrow counts between a module and its
//! descendants, because a module may re-export their names, and they may build on it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::modules::{Crate, Names};

/// The arrows between modules, each with the places in the sources.
type Arrows = BTreeMap<Arrow, Vec<String>>;

/// From a module to another one.
type Arrow = (Names, Names);

/// Returns a description of each circle. The shortest circle is described first. Then its arrow
/// with the fewest places is removed, and the search continues. So there are about as many
/// descriptions as arrows to remove.
pub(crate) fn of(found: &Crate) -> Vec<String> {
    let mut arrows = arrows(found);
    let mut circles = Vec::new();
    while let Some(circle) = shortest(&arrows) {
        circles.push(describe(&arrows, &circle));
        let weakest = circle.iter().min_by_key(|arrow| arrows[arrow].len());
        arrows.remove(&weakest.expect("a circle has arrows").clone());
    }
    circles
}

fn arrows(found: &Crate) -> Arrows {
    let mut arrows = Arrows::new();
    for (from, module) in &found.modules {
        for mention in &module.paths {
            let Some(to) = found.target(from, mention) else {
                continue;
            };
            let common = from.iter().zip(&to).take_while(|(one, other)| one == other);
            let length = common.count() + 1;
            if from.len() >= length && to.len() >= length {
                let arrow = (from[..length].to_vec(), to[..length].to_vec());
                let places = arrows.entry(arrow).or_default();
                if !places.contains(&mention.place) {
                    places.push(mention.place.clone());
                }
            }
        }
    }
    arrows
}

/// Returns the arrows of a shortest circle.
fn shortest(arrows: &Arrows) -> Option<Vec<Arrow>> {
    let circles = arrows.keys().filter_map(|(from, to)| {
        let way = way(arrows, to, from)?;
        let next = way.iter().cycle().skip(1);
        let arrows = way.iter().zip(next);
        Some(
            arrows
                .map(|(one, next)| ((*one).clone(), (*next).clone()))
                .collect(),
        )
    });
    circles.min_by_key(Vec::len)
}

/// Returns a shortest path from one module to another, both included.
fn way<'a>(arrows: &'a Arrows, from: &'a Names, to: &'a Names) -> Option<Vec<&'a Names>> {
    let mut ways = VecDeque::from([vec![from]]);
    let mut seen = BTreeSet::from([from]);
    while let Some(way) = ways.pop_front() {
        let at = *way.last()?;
        if at == to {
            return Some(way);
        }
        for (_, next) in arrows.keys().filter(|(from, _)| from == at) {
            if seen.insert(next) {
                ways.push_back([&way[..], &[next]].concat());
            }
        }
    }
    None
}

fn describe(arrows: &Arrows, circle: &[Arrow]) -> String {
    let arrow = |arrow: &Arrow| {
        let from = arrow.0.join("::");
        let to = arrow.1.join("::");
        let places = &arrows[arrow];
        let shown = places[..places.len().min(5)].join(" ");
        format!(
            "\n    `{from}` names `{to}`, {} times: {shown}",
            places.len()
        )
    };
    let names: Vec<_> = circle.iter().map(|arrow| arrow.0.join("::")).collect();
    let arrows: String = circle.iter().map(arrow).collect();
    format!("{}{arrows}", names.join(" -> "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::of_texts;

    #[test]
    fn modules_that_name_each_other_are_a_circle_however_they_do() {
        for (a, b) in [
            (
                "use crate::b::B; pub struct A;",
                "use crate::a::A; pub struct B;",
            ),
            (
                "use super::b::B; pub struct A;",
                "fn b() { super::a::A; } pub struct B;",
            ),
            (
                "use crate::B; pub struct A;",
                "use crate::{self as root, A}; pub struct B;",
            ),
            (
                "use crate::inner::B as C; pub struct A;",
                "use crate::{a}; fn b(_: a::A) {} pub struct B;",
            ),
        ] {
            let lib = "mod a; mod b; pub use a::A; pub use self::b::*; pub use macros::{a, b}; \
                       mod inner { pub use crate::b::B; }";
            let found = of_texts(&[("lib.rs", lib), ("a.rs", a), ("b.rs", b)]);
            let circles = of(&found);
            assert_eq!(circles.len(), 1, "{a} {b}");
            assert!(
                circles[0].contains("`a` names `b`, 1 times: a.rs:1"),
                "{circles:?}"
            );
        }
    }

    #[test]
    fn a_circle_of_three_and_one_between_rooms_are_found_once() {
        let found = of_texts(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "mod x; pub struct A;"),
            ("a/x.rs", "use crate::b::y::Y;"),
            ("b.rs", "pub mod y;"),
            ("b/y.rs", "use crate::c::C; pub struct Y;"),
            ("c.rs", "use crate::a::A; pub struct C;"),
        ]);
        let circles = of(&found);
        assert_eq!(circles.len(), 1, "{circles:?}");
        assert!(
            circles[0].contains("`b` names `c`, 1 times: b/y.rs:1"),
            "{circles:?}"
        );
    }

    #[test]
    fn arrows_of_one_way_of_tests_and_to_the_parent_are_no_circle() {
        let found = of_texts(&[
            ("lib.rs", "mod a; mod b; pub use a::A;"),
            (
                "a.rs",
                "mod x; use std::b::B; pub struct A; fn a() { x::new() }",
            ),
            ("a/x.rs", "use super::A; use crate::b::B; pub fn new() {}"),
            (
                "b.rs",
                "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }",
            ),
        ]);
        assert_eq!(of(&found), Vec::<String>::new());
    }
}
