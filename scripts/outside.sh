#!/usr/bin/env bash
# Prints how releases outside the version tables fare: for each the tests that hold on it, and the first lines of
# those that do not (a refusal, or a difference).
# usage: scripts/outside.sh [VERSION...]
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

versions=(13.14.0 15.14.0 17.9.1 21.7.3 23.11.1 25.9.0 18.12.0 20.10.0 22.10.0 24.5.0)
[ $# -gt 0 ] && versions=("$@")

cd "$root"
export V8RS_CACHE=$cache RUST_BACKTRACE=0
for version in "${versions[@]}"; do
  "$root/scripts/node.sh" "$version" >/dev/null
  for test in frames values heap node workers; do
    status=0
    said=$(V8RS_NODES=$version cargo test -q --no-default-features --test "$test" 2>&1) || status=$?
    printf '%-8s %-8s %s\n' "$version" "$test" "$(sed -n 's/^test result: \([a-zA-Z]*\)\. \(.*failed\);.*/\2/p' <<<"$said")"
    [ "$status" = 0 ] || sed -n '/panicked at/{n;p;n;p;}' <<<"$said" | grep -v '^note:' | cut -c1-160 | sort -u | sed 's/^/             /'
  done
done
