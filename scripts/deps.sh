#!/usr/bin/env bash
# Installs what building and using v8rs needs, on Debian and Ubuntu; elsewhere says what that is.
# What is there already is left alone, and root is asked for only if something is missing.
# npm (for Node builds) and gdb (for cores where the system takes them away) come when a script first needs them.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A release as a number to compare: 1.88 -> 1088
rank() {
  local major minor rest
  IFS=. read -r major minor rest <<<"$1."
  echo $((${major:-0} * 1000 + ${minor:-0}))
}

need_rust=$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' "$root/Cargo.toml" | head -n 1)
need_rust=${need_rust:-1.88}

rust_is_enough() {
  have cargo && have rustc && [ "$(rank "$(cd / && rustc --version 2>/dev/null | cut -d' ' -f2)")" -ge "$(rank "$need_rust")" ]
}

rust_advice() {
  local found="there is no cargo"
  if have rustc; then found="the rustc here is $(rustc --version | cut -d' ' -f2)"; fi
  die "Rust $need_rust or later is needed, and $found. The standard way is rustup: see https://rustup.rs (or your system's rustup package), then run this again."
}

install_rust() {
  rust_is_enough && return
  have apt-get || rust_advice
  # Debian stable's own rustc is too old, but its security updates bring a current one for building browsers.
  local candidate
  candidate=$(apt-cache policy cargo-web 2>/dev/null | sed -n 's/^ *Candidate: *//p')
  if [ -z "$candidate" ] || [ "$candidate" = "(none)" ]; then
    as_root apt-get update -qq >&2
    candidate=$(apt-cache policy cargo-web 2>/dev/null | sed -n 's/^ *Candidate: *//p')
  fi
  if [ -n "$candidate" ] && [ "$candidate" != "(none)" ] && [ "$(rank "$candidate")" -ge "$(rank "$need_rust")" ]; then
    # It takes the place of Debian's older cargo and rustc; we do not take those from anyone.
    if dpkg-query -W -f='${Status}\n' cargo rustc rustup 2>/dev/null | grep -q '^install ok installed'; then
      say "deps.sh: Debian's cargo-web and rustc-web ($candidate) would do, but they replace the cargo, rustc or rustup package you have."
      rust_advice
    fi
    apt_need cargo-web rustc-web
    hash -r
    rust_is_enough && return
  fi
  candidate=$(apt-cache policy cargo 2>/dev/null | sed -n 's/^ *Candidate: *//p')
  if [ -n "$candidate" ] && [ "$candidate" != "(none)" ] && [ "$(rank "$candidate")" -ge "$(rank "$need_rust")" ]; then
    apt_need cargo rustc
    hash -r
    rust_is_enough && return
  fi
  rust_advice
}

# The headers of any LLDB do: one build loads in all.
have_headers() {
  [ -n "${LLVM_CONFIG-}" ] && return
  local header
  for header in /usr/lib/llvm-*/include/lldb/API/SBDebugger.h /usr/lib64/llvm*/include/lldb/API/SBDebugger.h \
    /usr/include/lldb/API/SBDebugger.h /opt/homebrew/opt/llvm*/include/lldb/API/SBDebugger.h; do
    if [ -f "$header" ]; then return 0; fi
  done
  return 1
}

if ! have apt-get; then
  missing=()
  find_lldb >/dev/null || missing+=("lldb 14 or later")
  have_headers || missing+=("LLDB's headers (Fedora: lldb-devel; macOS: brew install llvm)")
  have c++ || have clang++ || have g++ || missing+=("a C++17 compiler")
  if [ ${#missing[@]} -gt 0 ]; then
    printf -v list '\n  %s' "${missing[@]}"
    die "no apt-get here; please install:$list"
  fi
  rust_is_enough || rust_advice
  exit
fi

have c++ || have clang++ || apt_need g++
if ! find_lldb >/dev/null; then
  apt_need lldb
fi
have_headers || apt_need liblldb-dev
# Debian's lldb complains of its Python at every command when that is not installed with it.
version=$("$(find_lldb)" --version 2>/dev/null | sed -n 's/.*lldb version \([0-9]*\).*/\1/p' | head -n 1)
if [ -n "$version" ] && apt-cache show "python3-lldb-$version" >/dev/null 2>&1; then
  apt_need "python3-lldb-$version"
fi
# cargo fetches crates over TLS.
[ -e /etc/ssl/certs/ca-certificates.crt ] || apt_need ca-certificates
install_rust
