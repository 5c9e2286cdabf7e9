//! What cargo knows of this workspace.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::run;

/// The workspace's places and packages.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One package and what it builds on.
pub(crate) struct Package {
    pub(crate) name: String,
    /// Normal and build dependencies on every platform; development ones and those of one platform are left out.
    pub(crate) dependencies: Vec<String>,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self, String> {
        let output = run::cargo(Path::new("."))
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .output()
            .map_err(|error| format!("cargo metadata: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let metadata: Value =
            serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
        let place = |key: &str| metadata[key].as_str().map(PathBuf::from).ok_or(format!("cargo metadata has no {key}"));
        let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Self {
            root: place("workspace_root")?,
            target: place("target_directory")?,
            packages: packages.iter().map(package).collect(),
        })
    }

    /// Where the generated Kotlin, Swift and Python go.
    pub(crate) fn bindings(&self) -> PathBuf {
        self.target.join("bindings")
    }
}

fn package(package: &Value) -> Package {
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let built_on = dependencies.iter().filter(|one| one["kind"].as_str() != Some("dev") && one["target"].is_null());
    Package { name: text(&package["name"]), dependencies: built_on.map(|one| text(&one["name"])).collect() }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
