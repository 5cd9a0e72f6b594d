#!/usr/bin/env bash
# Makes the usual cores of the test programs and lists them, one line each, in INDEX beside them.
# usage: scripts/cores.sh [-p "PROGRAM..."] [VERSION...]     (default: all programs, the last release of each line)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

programs="heap frames values signup server workers"
if [ "${1-}" = -p ]; then
  programs=$2
  shift 2
fi
versions=("${last_releases[@]}")
[ $# -gt 0 ] && versions=("$@")

# What is known of a program, a line each: node flags, `--`, its arguments, `#`, a description.
recipes() {
  case $1 in
    heap) echo "-- 20000 --snapshot # known counts of known classes, with V8's snapshot of the same heap" ;;
    frames)
      echo "-- sync # 250 frames through every kind of call, interpreted where V8 left them so"
      echo "-- direct # 45 frames, only the program's own functions"
      echo "-- async # as sync, from the continuation of an awaited async function"
      echo "-- hot # direct, begun in optimized functions with inlined callees"
      echo "-- timer # as sync, from a timer's callback"
      echo "-- generator # as sync, from an async generator under for await"
      [ "$2" -lt 16 ] || echo "--always-sparkplug --no-opt -- sync # as sync, every frame baseline code"
      ;;
    values) echo "--expose-gc --expose-externalize-string --allow-natives-syntax # a value of every kind with what util.inspect says of it" ;;
    signup) echo "--abort-on-uncaught-exception # the demo server, dead of a bad signup" ;;
    workers) echo "# the main thread and three workers, with known counts and stacks and V8's snapshot of each heap" ;;
    server) echo "# a web server with live handles and requests of every kind" ;;
    *) die "no recipe for $1" ;;
  esac
}

index=$cache/cores/INDEX
mkdir -p "$cache/cores"
for program in $programs; do
  for version in "${versions[@]}"; do
    while IFS= read -r recipe; do
      read -ra words <<<"${recipe%%#*}"
      dir=$("$root/scripts/core.sh" "$program" "$version" "${words[@]+"${words[@]}"}") || exit 1
      line="$dir: $program on $version (${recipe%% #*}): ${recipe##*# }"
      grep -qxF -- "$line" "$index" 2>/dev/null || printf '%s\n' "$line" >>"$index"
      printf '%s\n' "$line"
    done < <(recipes "$program" "${version%%.*}")
  done
done
# The directories that are gone (a program changed) are no longer listed.
while IFS= read -r line; do
  if [ -e "${line%%:*}/done" ]; then printf '%s\n' "$line"; fi
done <"$index" | sort -u >"$index.new"
mv "$index.new" "$index"
