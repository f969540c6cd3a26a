//! One application books and routes cargoes. It follows another one, which registers what happens
//! to them in ports.

mod booking;
mod cargo;
mod handling;
mod places;

use booking::Booking;
use es_system::prelude::*;
use handling::{Activity, Handling};
use places::Location::{Hamburg, HongKong, NewYork, Stockholm, Tokyo};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::new(pipes![[Handling, Booking]])?;
    let mut runner = SingleThreadedRunner::new(&system, Env::new())?;
    runner.start()?;
    let (handling, booking) = (runner.get::<Handling>()?, runner.get::<Booking>()?);

    let cargo = booking.book(HongKong, Stockholm)?;
    println!("booked: {}", booking.status(&cargo)?);

    let routes = booking.possible_routes(&cargo)?;
    for route in &routes {
        println!("possible: {route}");
    }
    booking.assign_route(&cargo, routes[0].clone())?;
    println!("routed: {}", booking.status(&cargo)?);
    if let Err(refused) = booking.change_destination(&cargo, HongKong) {
        println!("refused: {refused}");
    }

    for activity in [
        Activity::Received(HongKong),
        Activity::Loaded("v100".to_owned(), HongKong),
        Activity::Unloaded("v100".to_owned(), NewYork),
        Activity::Loaded("v300".to_owned(), NewYork),
        Activity::Unloaded("v300".to_owned(), Tokyo),
    ] {
        handling.register(&cargo, activity)?;
        println!("{}", booking.status(&cargo)?);
    }

    for route in booking.possible_routes(&cargo)? {
        println!("possible from here: {route}");
        booking.assign_route(&cargo, route)?;
    }
    for activity in [
        Activity::Loaded("v400".to_owned(), Tokyo),
        Activity::Unloaded("v400".to_owned(), Hamburg),
        Activity::Loaded("v500".to_owned(), Hamburg),
        Activity::Unloaded("v500".to_owned(), Stockholm),
        Activity::Claimed(Stockholm),
    ] {
        handling.register(&cargo, activity)?;
        println!("{}", booking.status(&cargo)?);
    }
    if let Err(refused) = booking.change_destination(&cargo, Tokyo) {
        println!("refused: {refused}");
    }
    Ok(runner.stop()?)
}
