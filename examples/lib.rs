//! Runnable programs that show the library: `cargo run --example dog_school`. The bank, a service
//! with an HTTP interface, is a package of its own: `cargo run -p bank`.
