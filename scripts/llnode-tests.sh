#!/usr/bin/env bash
# Runs llnode's own plugin tests with this library in the place of llnode.so, in its compatible mode, and prints a
# table of test and Node release. The checkout (of https://github.com/nodejs/llnode) is only read.
# usage: scripts/llnode-tests.sh LLNODE_CHECKOUT [VERSION...]     (default: the last release of each line from 14 on)
# environment: LLDB             the lldb to use
#              V8RS_LIBRARY     the library to test (default: target/release/libv8rs.so)
#              V8RS_TESTS       the tests to run (default: usage stack frame inspect scan workqueue)
#              V8RS_TEST_LOGS   keep what the tests print here
# The status is 0 when nothing failed. In the table: the assertions that held, or how many failed; "N skipped" are the
# assertions that llnode's tests themselves leave out.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -ge 1 ] || die "usage: llnode-tests.sh LLNODE_CHECKOUT [VERSION...]"
checkout=$(cd "$1" && pwd) || die "no such directory: $1"
shift
[ -f "$checkout/test/plugin/stack-test.js" ] || die "no checkout of nodejs/llnode (no test/plugin in it): $checkout"
versions=("$@")
[ $# -gt 0 ] || versions=("${last_releases[@]:1}")
read -ra tests <<<"${V8RS_TESTS:-usage stack frame inspect scan workqueue}"

library=${V8RS_LIBRARY:-$root/target/release/libv8rs.so}
[ -f "$library" ] || die "no $library; run 'cargo build --release' first"
lldb=$(find_lldb) || die "no lldb here; 'scripts/deps.sh' installs one"
have gdb || apt_need gdb # the scan test has it write its core
have npm || apt_need npm

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
logs=${V8RS_TEST_LOGS:-$work/logs}
mkdir -p "$logs" "$work/tmp"

# The tests load llnode.so of the directory they are in.
cp -r "$checkout/test" "$work/test"
ln -s "$(realpath "$library")" "$work/llnode.so"
# Their limits are for an idle machine.
sed -i "s/timeoutAfter([0-9]*)/timeoutAfter(400000)/; s/loadCoreTimeout = .*;/loadCoreTimeout = 300000;/" "$work"/test/plugin/*.js "$work/test/common.js"

# The test runner that llnode's package.json asks for.
tape=$cache/llnode-tape
if [ ! -d "$tape/node_modules/tape" ]; then
  lock "$cache/.lock-llnode-tape"
  mkdir -p "$tape"
  npm install --silent --no-save --ignore-scripts --prefix "$tape" tape@4 >/dev/null || die "npm could not fetch tape"
  unlock
fi

# What a run said, in a few characters: LOG STATUS
verdict() {
  local asserts failed skipped
  asserts=$(grep -c '^ok ' "$1" || true)
  failed=$(grep -c '^not ok ' "$1" || true)
  skipped=$(grep -c '^ok .*# SKIP' "$1" || true)
  if [ "$failed" != 0 ]; then
    printf '%s FAILED' "$failed"
  elif [ "$2" != 0 ] || ! grep -q '^# ok' "$1"; then
    printf 'FAILED (status %s)' "$2"
  elif [ "$skipped" != 0 ]; then
    printf '%s ok, %s skipped' $((asserts - skipped)) "$skipped"
  else
    printf '%s ok' "$asserts"
  fi
}

# LLDB (14, for one) takes a function that GCC split for one of all the megabytes between its parts, as libuv's are
# in Node 14 to 22, and disassembles these at every stop: minutes, on a busy machine. Without the debug information of
# node's C parts it does not; V8's symbols stay. Prints the binary to run: quick VERSION
quick() {
  local node copy=$work/node-$1
  node=$("$root/scripts/node.sh" "$1")
  [ -e "$copy" ] || objcopy --strip-debug "$node" "$copy" 2>/dev/null || copy=$node
  printf '%s\n' "$copy"
}

table=("$(printf '%-10s' test; printf ' %-18s' "${versions[@]}")")
bad=0
for test in "${tests[@]}"; do
  row=$(printf '%-10s' "$test")
  for version in "${versions[@]}"; do
    node=$(quick "$version")
    log=$logs/$test-${version#v}.log
    status=0
    # Its wait for an error that a working command does not print is as long as TEST_TIMEOUT.
    limit=200000
    [ "$test" = workqueue ] && limit=40000
    (
      cd "$work"
      TMPDIR=$work/tmp V8RS_COMPAT=llnode NODE_PATH=$tape/node_modules \
        TEST_LLDB_BINARY=$lldb TEST_TIMEOUT=${TEST_TIMEOUT:-$limit} \
        timeout -k 10 420 "$node" "$tape/node_modules/tape/bin/tape" "test/plugin/$test-test.js"
    ) >"$log" 2>&1 </dev/null || status=$?
    rm -rf "$work/tmp"/*
    result=$(verdict "$log" "$status")
    case $result in *FAILED*) bad=$((bad + 1)) ;; esac
    say "$test on $version: $result"
    row+=$(printf ' %-18s' "$result")
  done
  table+=("$row")
done
printf '%s\n' "${table[@]}"
[ $bad = 0 ]
