//! The program as its own tool, run as a process.

mod doctor;
mod log;
mod reading;
mod rebuild;
mod show;
mod status;
mod tool;
mod verify;
