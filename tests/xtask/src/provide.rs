//! What the steps need beside Rust and a C compiler, and how a bare Debian machine gets it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::run;

/// Finds one of the programs, or installs the Debian packages that bring it. The error says what to install by hand.
pub(crate) fn program(names: &[&str], packages: &[&str], why: &str) -> Result<PathBuf, String> {
    if let Some(found) = run::first_of(names) {
        return Ok(found);
    }
    let wanted = packages.join(" ");
    let by_hand = format!("{why}; install by hand: apt-get install {wanted}");
    let Some(apt) = run::first_of(&["apt-get"]) else { return Err(by_hand) };
    if !is_root() {
        return Err(by_hand);
    }
    println!("installing {wanted}: {why}");
    static UPDATED: OnceLock<bool> = OnceLock::new();
    UPDATED.get_or_init(|| run::status(Command::new(&apt).args(["update", "-qq"])).unwrap_or(false));
    let mut install = Command::new(&apt);
    install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    match run::status(&mut install) {
        Ok(true) => run::first_of(names).ok_or(by_hand),
        _ => Err(by_hand),
    }
}

/// Makes sure that a Rust target is there. The error says why it is not.
pub(crate) fn target(name: &str) -> Result<(), String> {
    let sysroot = Command::new("rustc").args(["--print", "target-libdir", "--target", name]).output();
    let there = sysroot.is_ok_and(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()).is_dir());
    if there {
        return Ok(());
    }
    let Some(rustup) = run::first_of(&["rustup"]) else {
        return Err(format!("the target {name} is missing and there is no rustup to add it"));
    };
    println!("adding the Rust target {name}");
    match run::status(Command::new(rustup).args(["target", "add", name])) {
        Ok(true) => Ok(()),
        _ => Err(format!("the target {name} is missing and rustup could not add it")),
    }
}

/// Makes sure that a component of the toolchain (rustfmt, clippy) is there.
pub(crate) fn component(program: &str, name: &str) -> Result<(), String> {
    let works = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if works {
        return Ok(());
    }
    println!("adding {name}: a minimal toolchain does not have it");
    match run::status(Command::new("rustup").args(["component", "add", name])) {
        Ok(true) => Ok(()),
        _ => Err(format!("{name} is missing and rustup could not add it")),
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
