//! The program as its own tool, run as a process.

mod doctor;
mod failures;
mod log;
mod reading;
mod rebuild;
mod show;
mod status;
mod steer;
mod tool;
mod verify;
