//! Generates the Kotlin, Swift and Python sides from the built library.
//!
//! In a crate of its own, so that the library that phones carry is not built with a generator inside it.
//! `cargo xtask bindings` runs it as `foras-bindgen generate --language kotlin --out-dir DIR LIBRARY`.

fn main() {
    uniffi::uniffi_bindgen_main();
}
