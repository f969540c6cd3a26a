use es_system::prelude::*;

pub trait Bite {
    #[event(Bit)]
    fn bite(&mut self);
}

fn main() {}
