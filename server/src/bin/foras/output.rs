//! What a command prints: one JSON object or text on stdout, progress and errors on stderr, and the exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

/// Exit code of a refusal or failure.
const FAILED: u8 = 1;
/// Exit code of a command line that asks for what there is not.
const MISUSED: u8 = 2;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Stable, in snake_case.
    pub(crate) code: String,
    /// One sentence, without personal data.
    pub(crate) message: String,
    /// Whether the same command may succeed later.
    pub(crate) retryable: bool,
    /// What to do about it.
    pub(crate) what_to_do: String,
}

impl Failure {
    /// The command line asks for what there is not.
    pub(crate) fn misuse(message: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self { code: "misuse".into(), message: message.into(), retryable: false, what_to_do: what_to_do.into() }
    }

    /// A refusal or failure with a code of its own.
    pub(crate) fn refused(code: &str, message: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), retryable: false, what_to_do: what_to_do.into() }
    }

    fn exit_code(&self) -> u8 {
        if self.code == "misuse" { MISUSED } else { FAILED }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // The error's own text may hold a path, and a path a name: its kind says enough.
        let message = format!("reading or writing failed: {}", error.kind());
        Self {
            code: if error.kind() == io::ErrorKind::StorageFull { "storage_full" } else { "io" }.into(),
            message,
            retryable: true,
            what_to_do: "check the file or folder, its permissions and the free space; then repeat".into(),
        }
    }
}

impl From<foras::Error> for Failure {
    fn from(error: foras::Error) -> Self {
        let message = match &error {
            foras::Error::InvalidValue { field: Some(field), .. }
            | foras::Error::NotAllowed { field: Some(field), .. } => format!("{field}: {error}"),
            _ => error.to_string(),
        };
        Self {
            code: error.code().to_owned(),
            message,
            retryable: error.retryable(),
            what_to_do: error.what_to_do().to_owned(),
        }
    }
}

impl From<foras::phone::ImportStopped> for Failure {
    fn from(stopped: foras::phone::ImportStopped) -> Self {
        stopped.error.into()
    }
}

/// Where a command prints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    json: bool,
}

impl Terminal {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether results are asked for as JSON.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Prints the one result of a command: as JSON, or as `text`.
    pub(crate) fn result(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json { self.line(value) } else { write_out(text().trim_end()) }
    }

    /// Prints one line of JSON on stdout, and flushes it: whoever reads it may act on it.
    pub(crate) fn line(self, value: &impl Serialize) -> Result<(), Failure> {
        write_out(&serde_json::to_string(value).map_err(io::Error::other)?)
    }

    /// Tells progress on stderr: as a line of JSON, or as `text`.
    pub(crate) fn progress(self, value: &impl Serialize, text: impl FnOnce() -> String) {
        let line = if self.json { serde_json::to_string(value).unwrap_or_default() } else { text() };
        // Progress is a courtesy: nobody reading it stops no work.
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// Prints the error as stderr's last line and gives the exit code.
    pub(crate) fn failed(self, failure: &Failure) -> ExitCode {
        let error = json!({"error": {
            "code": failure.code,
            "message": failure.message,
            "retryable": failure.retryable,
            "do": failure.what_to_do,
        }});
        let mut stderr = io::stderr().lock();
        if !self.json {
            let _ = writeln!(stderr, "foras: {}\n{}", failure.message, failure.what_to_do);
        }
        let _ = writeln!(stderr, "{error}");
        ExitCode::from(failure.exit_code())
    }
}

fn write_out(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()?;
    Ok(())
}
