//! No event is passed over in silence: not those that only a newer program knows, and not those
//! that no upstream of a follower records.

mod filter;
mod newer;
mod upstreams;
