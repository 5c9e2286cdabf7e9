//! The field office of the README, typed word for word.

use std::net::TcpListener;
use std::process::Command;

use super::bindings;
use crate::report::Outcome;
use crate::workspace::Workspace;

/// The port that the README names. A free one takes its place here.
const PORT: &str = "7070";

pub(crate) fn step(workspace: &Workspace) -> Outcome {
    match typed(workspace) {
        Ok(true) => Outcome::Passed(1),
        Ok(false) => Outcome::failed("what the README says to type does not work"),
        Err(reason) => Outcome::failed(reason),
    }
}

fn typed(workspace: &Workspace) -> Result<bool, String> {
    let readme = std::fs::read_to_string(workspace.root.join("README.md")).map_err(|error| error.to_string())?;
    let block = block(&readme).ok_or("the README has no block of shell")?;
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).map_err(|error| error.to_string())?;
    let folder = workspace.target.join("walkthrough");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    }
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let binaries = bindings::server(workspace);
    let binaries = binaries.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    let path = std::env::var("PATH").unwrap_or_default();
    // A server that a failing line leaves behind is stopped.
    let stop = "trap '[ -z \"${server:-}\" ] || kill $server 2>/dev/null || true' EXIT";
    let script = format!("set -eu\n{stop}\n{}", block.replace(PORT, &port.port().to_string()));
    let mut shell = Command::new("sh");
    shell.current_dir(&folder).env("PATH", format!("{binaries}:{path}")).args(["-x", "-c"]).arg(script);
    println!("$ sh (the block under «In a field office»)");
    shell.status().map(|status| status.success()).map_err(|error| format!("sh: {error}"))
}

/// The first block fenced as shell.
fn block(readme: &str) -> Option<&str> {
    let (_, from) = readme.split_once("\n```sh\n")?;
    from.split_once("\n```").map(|(block, _)| block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_is_found_between_its_fences() {
        assert_eq!(
            block("# A\n```console\n$ x\n```\n```sh\nforas serve\nforas help\n```\nend\n"),
            Some("foras serve\nforas help")
        );
        assert_eq!(block("# A\n"), None);
    }
}
