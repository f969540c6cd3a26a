//! Runnable programs that show the library: `cargo run --example dog_school`.
