#!/usr/bin/env bash
# Has LLDB load v8rs by itself: one line in ~/.lldbinit, put there once.
# usage: scripts/install.sh [--uninstall]
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ -n "${HOME-}" ] || die "HOME is not set: there is no ~/.lldbinit without it"
init=$HOME/.lldbinit
mark="# v8rs: the next line was put here by scripts/install.sh"

# The file without our two lines; a line after our mark that somebody else put there stays.
without() {
  [ -f "$init" ] || return 0
  awk -v mark="$mark" '$0 == mark { ours = 1; next } ours { ours = 0; if (/^plugin load /) next } { print }' "$init"
}

check_writable() {
  [ ! -e "$init" ] || [ -f "$init" ] || die "$init is no file"
  if [ -e "$init" ]; then
    [ -r "$init" ] && [ -w "$init" ] || die "$init may not be written by you; change that (chmod u+rw), then run this again"
  else
    [ -w "$HOME" ] || die "$HOME may not be written by you: there is no place for .lldbinit"
  fi
}

# Through whatever link it is, and keeping its mode.
write() {
  if [ -n "$1" ]; then
    printf '%s\n' "$1" >"$init"
  elif [ -L "$init" ]; then
    : >"$init"
  else
    rm -f "$init"
  fi
}

case ${1-} in
  "")
    library=
    for path in "$root"/target/release/libv8rs.{so,dylib}; do
      if [ -f "$path" ]; then library=$path; fi
    done
    [ -n "$library" ] || die "the library is not built; run: cargo build --release (in $root)"
    check_writable
    library=${library//\\/\\\\}
    before=$(without)
    write "${before:+$before
}$mark
plugin load \"${library//\"/\\\"}\""
    say "$init now loads $library"
    ;;
  --uninstall)
    if [ -f "$init" ] && grep -qxF -- "$mark" "$init"; then
      check_writable
      write "$(without)"
      say "v8rs is out of $init"
    else
      say "v8rs was not in $init"
    fi
    ;;
  -h | --help)
    printf 'usage: install.sh [--uninstall]\n'
    ;;
  *)
    die "usage: install.sh [--uninstall]"
    ;;
esac
