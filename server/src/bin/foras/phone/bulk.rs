//! The commands that read and write many cases as lines of JSON.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::output::{Failure, Terminal};

/// Register people from a file of JSON lines.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// One case per line.
    file: PathBuf,
}

impl Import {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        let run = phone.import(open(&self.file)?, |lines| {
            terminal.progress(&json!({"progress": {"lines": lines}}), || format!("{lines} lines"));
        });
        let (done, error) = match run {
            Ok(done) => (done, None),
            Err(stopped) => (stopped.done, Some(stopped.error)),
        };
        terminal.result(&done, || {
            let refused = done.refused.iter().map(|line| {
                let field = line.field.as_deref().unwrap_or("the line");
                format!("\nline {}: {field}: {}", line.line, line.code)
            });
            format!(
                "added {}, unchanged {}, refused {}{}",
                done.added,
                done.unchanged,
                done.refused.len(),
                refused.collect::<String>()
            )
        })?;
        error.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Make the edits of a file of JSON lines, each durable by itself.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// `{"id" or "ref", "set": {…}}` per line.
    file: PathBuf,
}

impl Apply {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        let mut refused = 0_u64;
        // Each line is printed and flushed as it commits: whoever reads it may rely on it, whatever comes next.
        phone.apply(open(&self.file)?, |applied| {
            refused += u64::from(!applied.durable);
            terminal.line(applied)
        })?;
        if refused > 0 {
            let message = format!("{refused} lines were refused; the others are durable");
            return Err(Failure::refused(
                "refused",
                message,
                "correct the lines that are not durable, and apply those",
            ));
        }
        Ok(())
    }
}

/// Write every case as a line of JSON.
pub(super) fn export(phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
    phone.export(|case| terminal.line(case)).map(|_| ())
}

fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    }
    Ok(BufReader::new(file))
}
