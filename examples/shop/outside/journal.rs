//! A file of entries with keys.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file of entries, one in a line. Of several entries with one key, the first counts.
///
/// Concurrency: an entry is added by one write at the end of the file, so those of several
/// processes do not mix. Which entry counts is decided when they are read.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens the file, and creates it if it is missing.
    ///
    /// # Errors
    /// Fails if it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let path = path.to_owned();
        Ok(Self { path, file })
    }

    /// Adds an entry. It does not count if there is one with this key.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn add(&self, key: &str, text: &str) -> io::Result<()> {
        (&self.file).write_all(format!("{key} {text}\n").as_bytes())
    }

    /// Returns the key and the text of each entry that counts, in the order in which they were
    /// added.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub fn entries(&self) -> io::Result<Vec<(String, String)>> {
        let text = std::fs::read_to_string(&self.path)?;
        let mut known = HashSet::new();
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        let first = lines.filter(|(key, _)| known.insert(*key));
        Ok(first
            .map(|(key, text)| (key.to_owned(), text.to_owned()))
            .collect())
    }

    /// Returns the number of all entries, also of those that do not count.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub fn lines(&self) -> io::Result<usize> {
        Ok(std::fs::read_to_string(&self.path)?.lines().count())
    }
}
