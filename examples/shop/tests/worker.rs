//! A process of the shop that works.

use std::path::Path;
use std::process::{Child, Stdio};

use es_system::Env;

use crate::program;

/// A process that works. It is killed when it is dropped.
pub(crate) struct Worker(Child);

impl Worker {
    pub(crate) fn start(folder: &Path, env: &Env, flags: &[&str]) -> Self {
        let mut command = program(folder, env);
        command.arg("work").args(flags).stdin(Stdio::null());
        Self(command.spawn().expect("the program starts"))
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.0.try_wait().expect("it can be asked").is_none()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
