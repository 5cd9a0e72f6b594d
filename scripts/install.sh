#!/usr/bin/env bash
# Has LLDB load v8rs by itself: one line in ~/.lldbinit, put there once.
# usage: scripts/install.sh [--uninstall]
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

init=$HOME/.lldbinit
mark="# v8rs: the next line was put here by scripts/install.sh"

# The file without our two lines.
without() {
  [ -f "$init" ] || return 0
  awk -v mark="$mark" '$0 == mark { skip = 1; next } skip { skip = 0; next } { print }' "$init"
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
    library=${library//\\/\\\\}
    before=$(without)
    write "${before:+$before
}$mark
plugin load \"${library//\"/\\\"}\""
    say "$init now loads $library"
    ;;
  --uninstall)
    if [ -f "$init" ] && grep -qxF -- "$mark" "$init"; then
      write "$(without)"
      say "v8rs is out of $init"
    else
      say "v8rs was not in $init"
    fi
    ;;
  *)
    die "usage: install.sh [--uninstall]"
    ;;
esac
