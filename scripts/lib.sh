#!/usr/bin/env bash
# What every script here shares: where things are, how to say things, how to fail. Source it.
# shellcheck disable=SC2034  # most of these are for the scripts that source this file

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Node builds and cores live here, outside the repository: they are large, and `git clean` must not cost a download.
cache=${V8RS_CACHE:-${HOME-}/.cache/v8rs}

# The releases that are claimed as supported: the last of each line, then the first of those that have one.
last_releases=(12.22.12 14.21.3 16.20.2 18.20.8 20.20.2 22.23.3 24.21.0 26.10.0)
first_releases=(18.0.0 20.0.0 22.0.0 24.0.0 26.0.0)

say() { printf '%s\n' "$*" >&2; }

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as root: directly when we are, through sudo when it is there.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    die "needs root for: $* (run it as root, or install sudo)"
  fi
}

# Installs Debian packages that are not installed yet; says nothing and needs no root when all are there.
apt_need() {
  local package missing=()
  have apt-get || die "no apt-get here; install these by your own means, then run this again: $*"
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  say "installing: ${missing[*]}"
  as_root apt-get update -qq >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Use-Pty=0 "${missing[@]}" >/dev/null
}

# One process at a time makes what is named, the others wait and find it made: lock FILE
lock() {
  mkdir -p "$(dirname "$1")"
  exec {lock_fd}>"$1"
  flock "$lock_fd"
}

unlock() { exec {lock_fd}>&-; }

# Prints the lldb to use: $LLDB, else lldb, else the newest lldb-NN.
find_lldb() {
  local name
  if [ -n "${LLDB-}" ]; then
    type -P "$LLDB" || die "no such lldb: $LLDB (from LLDB)"
    return
  fi
  for name in lldb lldb-{23,22,21,20,19,18,17,16,15,14}; do
    if type -P "$name"; then return; fi
  done
  for name in /usr/lib/llvm-*/bin/lldb /opt/homebrew/opt/llvm/bin/lldb; do
    if [ -x "$name" ]; then
      printf '%s\n' "$name"
      return
    fi
  done
  return 1
}

# rustup's place is on the PATH only of shells that read the profile.
if ! have cargo && [ -x "${CARGO_HOME:-${HOME-}/.cargo}/bin/cargo" ]; then
  PATH=${CARGO_HOME:-${HOME-}/.cargo}/bin:$PATH
fi
