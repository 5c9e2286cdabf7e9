//! Layers point down only: bindings → device → sync → record → wire; server → device, record, wire; tests → all.

use crate::workspace::Package;

/// One package: the layers it may build on, and the libraries that it must not.
struct Layer {
    name: &'static str,
    below: &'static [&'static str],
    barred: &'static [&'static str],
}

/// What opens files, sockets or threads, or asks the machine for time and randomness.
const OUTSIDE_WORLD: [&str; 7] =
    ["rusqlite", "tokio", "reqwest", "axum", "getrandom", "tempfile", "tracing-subscriber"];
const CRDT: [&str; 1] = ["automerge"];
const WIRE_BARRED: [&str; 3] = ["automerge", "jiff", "serde_json"];

const LAYERS: [Layer; 9] = [
    Layer { name: "foras-wire", below: &[], barred: &WIRE_BARRED },
    Layer { name: "foras-record", below: &["foras-wire"], barred: &[] },
    Layer { name: "foras-sync", below: &["foras-record", "foras-wire"], barred: &CRDT },
    Layer { name: "foras", below: &["foras-sync", "foras-record", "foras-wire"], barred: &CRDT },
    Layer { name: "foras-ffi", below: &["foras"], barred: &CRDT },
    Layer { name: "foras-bindgen", below: &[], barred: &CRDT },
    Layer { name: "foras-server", below: &["foras", "foras-record", "foras-wire"], barred: &CRDT },
    Layer {
        name: "foras-tests",
        below: &["foras", "foras-record", "foras-server", "foras-sync", "foras-wire"],
        barred: &[],
    },
    Layer { name: "xtask", below: &[], barred: &CRDT },
];

/// Below `device` nothing touches the outside world.
const SANS_IO: [&str; 3] = ["foras-wire", "foras-record", "foras-sync"];

pub(crate) fn slips(packages: &[Package]) -> Vec<String> {
    packages.iter().flat_map(of_package).collect()
}

fn of_package(package: &Package) -> Vec<String> {
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == package.name) else {
        return vec![format!("{}: a package that no layer names", package.name)];
    };
    let ours = |name: &str| LAYERS.iter().any(|layer| layer.name == name);
    let sans_io = SANS_IO.contains(&layer.name);
    let wrong = package.dependencies.iter().map(String::as_str).filter(|name| {
        let upward = ours(name) && !layer.below.contains(name);
        upward || layer.barred.contains(name) || (sans_io && OUTSIDE_WORLD.contains(name))
    });
    wrong.map(|name| format!("{}: must not build on {name}", package.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[&str]) -> Package {
        Package { name: name.to_owned(), dependencies: dependencies.iter().map(|&name| name.to_owned()).collect() }
    }

    #[test]
    fn a_layer_may_build_on_what_is_below() {
        assert!(slips(&[package("foras", &["foras-sync", "foras-wire", "rusqlite"])]).is_empty());
    }

    #[test]
    fn a_layer_may_not_build_on_what_is_above_or_outside() {
        assert_eq!(slips(&[package("foras-record", &["foras"])]), ["foras-record: must not build on foras"]);
        assert_eq!(slips(&[package("foras-sync", &["tokio"])]), ["foras-sync: must not build on tokio"]);
        assert_eq!(slips(&[package("foras-wire", &["automerge"])]), ["foras-wire: must not build on automerge"]);
        assert_eq!(slips(&[package("foras-server", &["foras-sync"])]), ["foras-server: must not build on foras-sync"]);
    }

    #[test]
    fn a_new_package_must_say_its_layer() {
        assert_eq!(slips(&[package("foras-desk", &[])]), ["foras-desk: a package that no layer names"]);
    }
}
