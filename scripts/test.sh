#!/usr/bin/env bash
# Everything the tests need, then the tests: on real cores of real Node releases, in a real LLDB.
# usage: scripts/test.sh [arguments of cargo test...]
# environment: V8RS_CHROMIUM  the Chromium whose DevTools opens our files (default: chromium, installed if missing)
#              V8RS_NODES   the releases to test, by spaces or commas (default: all that are supported)
#              V8RS_LLDBS   the LLDBs to load the library in, by spaces (default: all on the PATH)
#              V8RS_CACHE   where Node builds and cores are kept (default: ~/.cache/v8rs)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$root/scripts/deps.sh"

V8RS_NODES=${V8RS_NODES:-${last_releases[*]} ${first_releases[*]}}
V8RS_NODES=${V8RS_NODES//,/ }
V8RS_CACHE=$cache
export V8RS_NODES V8RS_CACHE
# Before the build, so that a lack of network is told at once.
for version in $V8RS_NODES; do "$root/scripts/node.sh" "$version" >/dev/null; done

cd "$root"
# What LLDB loads in the end-to-end tests; cargo does not build it for them.
cargo build --release
failed=0
cargo test --no-fail-fast "$@" || failed=1
# Files of ours in DevTools itself.
if [ $# = 0 ]; then
  have "${V8RS_CHROMIUM:-chromium}" || apt_need chromium
  V8RS_NODES=$(printf '%s\n' $V8RS_NODES | grep -vxF "$(printf '%s\n' "${first_releases[@]}")" | tr '\n' ' ') \
    cargo test --test devtools -- --ignored || failed=1
fi
exit $failed
