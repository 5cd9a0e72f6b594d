#!/usr/bin/env bash
# How fast and how big: measures the first questions about a heap of five million objects in a real LLDB, over what
# LLDB takes to start, and about a stack of a thousand frames and a hundred thousand async functions that wait; prints
# the tables that README.md shows. Makes the cores first (400 to 900 MB each, kept).
# usage: scripts/bench.sh [-r RUNS] [-n "N..."] [VERSION...]     (default: 5 runs, 12.22.12 22.23.3 26.10.0)
#   -n N   heaps of N visits, about 13 objects each: 400000 by default, 1600000 for 20 million objects (a core of 1 GB)
# environment: LLDB (which lldb), V8RS_CACHE (where Node builds and cores are kept)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

runs=5 sizes=400000
while getopts r:n: option; do
  case $option in
    r) runs=$OPTARG ;;
    n) sizes=$OPTARG ;;
    *) die "usage: bench.sh [-r RUNS] [-n \"N...\"] [VERSION...]" ;;
  esac
done
shift $((OPTIND - 1))
versions=(12.22.12 22.23.3 26.10.0)
[ $# -gt 0 ] && versions=("$@")

{ find_lldb && have cargo; } >/dev/null || "$root/scripts/deps.sh"
lldb=$(find_lldb) || die "no lldb found"
cores=()
for version in "${versions[@]}"; do
  dir=$("$root/scripts/core.sh" crowd "$version")
  cores+=("Node $version=$dir")
  for n in $sizes; do
    dir=$("$root/scripts/core.sh" heap "$version" --max-old-space-size=8192 -- "$n")
    cores+=("Node $version=$dir")
  done
done
cd "$root"
cargo build --release
printf '%s, %s processors; load before: %s\n' "$("$lldb" --version 2>/dev/null | sed -n '/lldb version/{p;q}')" "$(nproc)" \
  "$(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo unknown)"
cargo bench --quiet --bench lldb -- --runs "$runs" --lldb "$lldb" --library "$root/target/release/libv8rs.so" "${cores[@]}"
