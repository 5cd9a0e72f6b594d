#!/usr/bin/env bash
# Makes a core of one of the test programs on one Node release, and prints the directory that holds it:
#   core           the core file
#   NAME.out       what the program said of itself just before it died (JSON lines)
#   NAME.err       its standard error
#   NAME.js        the program as it ran, so that positions and sources stay true
#   node           a link to the binary
# The directory is kept, and made again when the program, the release or the flags change.
# V8RS_GDB_CORES=1 has gdb write the core, as is done where the system would take it away.
# usage: scripts/core.sh PROGRAM VERSION [node flags...] [-- program arguments...]
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -ge 2 ] || die "usage: core.sh PROGRAM VERSION [node flags...] [-- program arguments...]"
program=$1 version=${2#v}
shift 2
flags=() arguments=()
while [ $# -gt 0 ]; do
  if [ "$1" = -- ]; then
    shift
    arguments=("$@")
    break
  fi
  flags+=("$1")
  shift
done

name=$(basename "$program" .js)
source_file=$root/tests/programs/$name.js
[ -f "$source_file" ] || source_file=$program
[ -f "$source_file" ] || die "no such program: $program (there are: $(cd "$root/tests/programs" && echo ./*.js))"
# What it requires or imports of its own directory goes along, and what that does.
beside=$(dirname "$source_file")
helpers=()
needed=("$source_file")
while [ ${#needed[@]} -gt 0 ]; do
  found=()
  for file in "${needed[@]}"; do
    while read -r helper; do
      case " ${helpers[*]-} $source_file " in *" $beside/$helper "*) continue ;; esac
      helpers+=("$beside/$helper") found+=("$beside/$helper")
    done < <(sed -nE "s/.*(require\(|import\(|from )'\.\/([a-z]*\.m?js)'.*/\2/p" "$file")
  done
  needed=("${found[@]+"${found[@]}"}")
done

key=$({
  cat "$source_file" "${helpers[@]+"${helpers[@]}"}"
  printf '%s\0' "$version" "${flags[@]+"${flags[@]}"}" -- "${arguments[@]+"${arguments[@]}"}"
} | sha256sum | cut -c1-12)
dir=$cache/cores/$name-$version-$key

if [ -e "$dir/done" ]; then
  printf '%s\n' "$dir"
  exit
fi

node=$("$root/scripts/node.sh" "$version")
lock "$cache/cores/.lock-$name-$version-$key"
if [ ! -e "$dir/done" ]; then
  rm -rf "$dir"
  mkdir -p "$dir"
  cp "$source_file" "${helpers[@]+"${helpers[@]}"}" "$dir/"
  ln -s "$node" "$dir/node"
  printf '%s\n' "node ${flags[*]+"${flags[*]}"} $name.js ${arguments[*]+"${arguments[*]}"}" >"$dir/command"
  run=("$node" "${flags[@]+"${flags[@]}"}" "$dir/$name.js" "${arguments[@]+"${arguments[@]}"}")

  # Reads the kernel's mind: will a dying process leave a core in its own directory?
  pattern=$(cat /proc/sys/kernel/core_pattern 2>/dev/null || echo core)
  if [ -z "${V8RS_GDB_CORES-}" ] && [[ $pattern != "|"* && $pattern != */* ]] && (ulimit -c unlimited) 2>/dev/null; then
    status=0
    (
      ulimit -c unlimited
      cd "$dir"
      # The outer shell would tell of the abort on our standard error; this one tells it to nobody.
      exec 2>"$name.err"
      timeout -k 10 300 "${run[@]}" >"$name.out" </dev/null
    ) 2>/dev/null || status=$?
    found=("$dir"/core* "$dir"/*.core)
    for file in "${found[@]}"; do
      [ -f "$file" ] && [ "$file" != "$dir/core" ] && mv "$file" "$dir/core"
    done
    [ -s "$dir/core" ] || say "no core after exit status $status with core_pattern '$pattern'; trying gdb"
  fi

  # A handler or another directory takes the cores: stop the process where it dies and have gdb write one.
  if [ ! -s "$dir/core" ]; then
    have gdb || apt_need gdb
    {
      echo "set confirm off"
      echo "set pagination off"
      echo "set debuginfod enabled off"
      echo "set disable-randomization off"
      echo "set print thread-events off"
      echo "handle SIGUSR1 SIGPIPE SIGCHLD nostop noprint pass"
      echo "cd $dir"
      printf 'run'
      printf ' %q' "${run[@]:1}"
      printf ' >%q 2>%q </dev/null\n' "$dir/$name.out" "$dir/$name.err"
      echo "generate-core-file core"
      echo "kill"
    } >"$dir/gdb-commands"
    timeout -k 10 300 gdb -nx -batch -x "$dir/gdb-commands" "$node" >"$dir/gdb.log" 2>&1 || true
    # gdb writes the zeros that the kernel leaves out: a gigabyte for nothing.
    if [ -s "$dir/core" ] && have fallocate; then fallocate --dig-holes "$dir/core" || true; fi
  fi
  [ -s "$dir/core" ] || die "no core was made; see $dir ($name.err: $(tail -n 3 "$dir/$name.err" 2>/dev/null))"
  touch "$dir/done"
fi
unlock
printf '%s\n' "$dir"
