#!/usr/bin/env bash
# Takes cores with gdb at random moments of two programs, one that allocates without a pause and one whose code is
# optimized, on each release, and at chosen moments of garbage collections, and prints how they fared (tests/moments.rs
# says what is asked of each).
# usage: scripts/moments.sh [COUNT [VERSION...]]     (default: 50 of each, the last release of every line)
# environment: V8RS_MOMENTS_KEEP   a directory for the cores that failed
#              V8RS_MOMENTS_DIR    one for the core being looked at, which takes up to 1.5 GB
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

V8RS_MOMENTS=${1:-50}
[ $# -gt 0 ] && shift
V8RS_NODES=${*:-${last_releases[*]}}
V8RS_CACHE=$cache
export V8RS_MOMENTS V8RS_NODES V8RS_CACHE
have gdb || apt_need gdb
cd "$root"
cargo test --release --no-default-features --test moments -- --ignored --nocapture --test-threads 1 | sed -n 's/.*MOMENTS //p'
exit "${PIPESTATUS[0]}"
