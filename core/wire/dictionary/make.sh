#!/bin/sh
# Makes first.zdict anew. Only for as long as no build that carries it was released: see README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
samples=$(mktemp -d)
trap 'rm -rf "$samples"' EXIT
cargo run --quiet --package foras-tests --bin dictionary -- "$samples"
# One thread and a fixed order, so that the same samples give the same bytes.
find "$samples" -type f | sort > "$samples.list"
zstd -q -T1 --train-fastcover=steps=4 --filelist "$samples.list" --maxdict=32768 -f -o "$here/first.zdict"
rm -f "$samples.list"
sha256sum "$here/first.zdict"
