#!/usr/bin/env bash
# From nothing to an answer: installs what is needed, builds v8rs, fetches a Node, has the signup server die of its
# mistake, and opens the core.
# usage: scripts/demo.sh [NODE VERSION]     (26.10.0 if none is given; any from 12 on)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

version=${1:-26.10.0}

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
if [ ! -t 1 ]; then step() { printf '\n== %s\n' "$*"; }; fi

step "What is needed: LLDB, its headers, a C++ compiler, Rust"
"$root/scripts/deps.sh"

step "Build"
(cd "$root" && cargo build --release)

step "Node $version, and a signup server that dies of a bad signup"
core=$("$root/scripts/core.sh" signup "$version" --abort-on-uncaught-exception)
sed -n '/^Uncaught/p' "$core/signup.err"
echo "(Node 12 and 14 word it: Cannot read property 'first' of undefined)"
echo "its core: $core/core"

# Once to find the frame that threw and its argument, then all of it as one would type it.
stack=$("$root/scripts/v8rs" "$core/core" -b -o "v8 bt" 2>&1) || true
line=$(grep -m 1 -E 'frame #[0-9]+: .* welcome\(' <<<"$stack") || {
  printf '%s\n' "$stack"
  die "v8 bt shows no frame of welcome()"
}
frame=$(sed -n 's/.*frame #\([0-9]*\):.*/\1/p' <<<"$line")
# welcome(this=..., user, plan)
user=$(sed -nE 's/.* welcome\(this=[^,]*, ([A-Za-z_$]+=)?(0x[0-9a-f]+):.*/\2/p' <<<"$line")
[ -n "$user" ] || die "v8 bt shows no argument of welcome(): $line"

step "The core, in LLDB"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# LLDB would show instructions with the frame; they are of no use here, and some are not in the core.
"$root/scripts/v8rs" "$core/core" -O "settings set stop-disassembly-display never" -b \
  -o "v8 bt" \
  -o "frame select $frame" \
  -o "v8 source list" \
  -o "v8 inspect $user" \
  -o "v8 findjsobjects" 2>&1 | tee "$log" || die "a command failed"
for part in user.name.first nmae ' Visit'; do
  grep -qF -- "$part" "$log" || die "the answers lack '$part': something above went wrong"
done

step "That was it"
cat <<TEXT
welcome() was given a user who has no name: the form said "nmae". And there are more Visits than anyone needs.
To look around by yourself:  scripts/v8rs $core/core
To have LLDB load v8rs always:  scripts/install.sh
TEXT
