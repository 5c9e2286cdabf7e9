#!/bin/sh
# Builds the library for Android into target/android/jniLibs, in an AAR's layout. Needs the NDK (r28 or later) and
#   cargo install cargo-ndk
#   rustup target add aarch64-linux-android armv7-linux-androideabi x86_64-linux-android
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
out=${CARGO_TARGET_DIR:-$root/target}/android
cd "$root"

# From 2025 on Google Play takes only libraries that load where a page of memory has 16 KB.
RUSTFLAGS="${RUSTFLAGS:-} -C link-arg=-Wl,-z,max-page-size=16384"
export RUSTFLAGS
cargo ndk --platform 26 -t arm64-v8a -t armeabi-v7a -t x86_64 -o "$out/jniLibs" \
    build --package foras-ffi --profile phone
cargo xtask bindings
cp "$root/bindings/kotlin/consumer-rules.pro" "$out/proguard.txt"
