#!/bin/sh
# Builds ForasNative.xcframework for iOS and its simulator, and generates the Swift side. Needs a Mac with Xcode and
#   rustup target add aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
made=$target/swift
cd "$root"

build() {
    cargo rustc --package foras-ffi --lib --crate-type staticlib --profile phone --target "$1"
}

cargo xtask bindings
rm -rf "$made" "$here/Generated" "$here/ForasNative.xcframework"
mkdir -p "$made/include" "$made/simulator" "$here/Generated"
cp "$target/bindings/swift/ForasFFI.swift" "$here/Generated/"
cp "$target/bindings/swift/ForasNative.h" "$made/include/"
cp "$target/bindings/swift/ForasNative.modulemap" "$made/include/module.modulemap"

build aarch64-apple-ios
build aarch64-apple-ios-sim
build x86_64-apple-ios
lipo -create -output "$made/simulator/libforas_ffi.a" \
    "$target/aarch64-apple-ios-sim/phone/libforas_ffi.a" \
    "$target/x86_64-apple-ios/phone/libforas_ffi.a"
xcodebuild -create-xcframework -output "$here/ForasNative.xcframework" \
    -library "$target/aarch64-apple-ios/phone/libforas_ffi.a" -headers "$made/include" \
    -library "$made/simulator/libforas_ffi.a" -headers "$made/include"
