//! Every target is built from this file: the program's name says which one it is.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| foras_tests::fuzz::run(env!("CARGO_BIN_NAME"), bytes));
