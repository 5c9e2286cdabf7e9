//! Running other programs where everybody can see it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::report::Outcome;

/// Cargo as the one that started us, so that a pinned toolchain stays pinned.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// A program's words as they would be typed.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Runs to the end with its output on ours: one check, passed or failed.
pub(crate) fn one(command: &mut Command) -> Outcome {
    match status(command) {
        Ok(true) => Outcome::Passed(1),
        Ok(false) => Outcome::failed(shown(command)),
        Err(reason) => Outcome::failed(reason),
    }
}

/// Runs to the end with its output on ours; true when it succeeded.
pub(crate) fn status(command: &mut Command) -> Result<bool, String> {
    println!("$ {}", shown(command));
    match command.stdin(Stdio::null()).status() {
        Ok(status) => Ok(status.success()),
        Err(error) => Err(format!("{}: {error}", shown(command))),
    }
}

/// Runs to the end, shows each line of its standard output as it comes, and keeps them.
pub(crate) fn lines(command: &mut Command) -> Result<(bool, Vec<String>), String> {
    println!("$ {}", shown(command));
    let name = shown(command);
    let told = |error: std::io::Error| format!("{name}: {error}");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(told)?;
    let mut kept = Vec::new();
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line).map_err(told)? > 0 {
            // A closed terminal must not end the tests half-way.
            let mut shown = std::io::stdout().lock();
            let _ = shown.write_all(&line).and_then(|()| shown.flush());
            kept.push(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
    }
    Ok((child.wait().map_err(told)?.success(), kept))
}

/// The first of these programs that is on the path.
pub(crate) fn first_of(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    names
        .iter()
        .find_map(|name| std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file()))
}
