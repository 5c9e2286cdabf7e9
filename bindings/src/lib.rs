//! The foreign surface of Foras, through uniffi: Kotlin, Swift and Python.

uniffi::setup_scaffolding!("foras_ffi");

/// The version of the library, as in its packages.
#[uniffi::export]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
