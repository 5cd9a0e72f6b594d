#!/usr/bin/env bash
# Reads from ELF files, with nothing but od, what the launcher must know: of a core, its executable and that one's
# build id. Source it. Little-endian 64-bit files only, as are all that Node is built for.
# shellcheck disable=SC2034  # its results are for the script that sources it
# Facts: elf(5), core notes as in the kernel's fs/binfmt_elf.c.

# Numbers of a file as one line: numbers FILE OFFSET BYTES FORMAT (od's: u1 u2 u4 u8 x1)
numbers() { od -v -An -w"$(($3 > 0 ? $3 : 1))" -t"$4" -j"$2" -N"$3" -- "$1" 2>/dev/null; }
number() { local text; text=$(numbers "$1" "$2" "$3" "u$3"); echo $((text)); }

# core, executable, other or none
elf_type() {
  local head
  [ -f "$1" ] || { echo none; return; }
  read -ra head < <(numbers "$1" 0 18 x1) || true
  if [ "${head[*]:0:6}" != "7f 45 4c 46 02 01" ] || [ ${#head[@]} -lt 18 ]; then
    case "${head[*]:0:4}" in
      "cf fa ed fe") if [ "$(number "$1" 12 4)" = 4 ]; then echo core; else echo executable; fi ;;
      *) echo other ;;
    esac
    return
  fi
  case $((16#${head[16]})) in
    4) echo core ;;
    2 | 3) echo executable ;;
    *) echo other ;;
  esac
}

# The GNU build id of the ELF image that begins at OFFSET of FILE and of which BYTES are there; nothing if it has none.
# In a core that is the first page of the executable, in which linkers put the note.
build_id_at() {
  local file=$1 start=$2 limit=$3 at table count size entry type offset bytes name_size id_size padded
  [ "$limit" -ge 64 ] || return 0
  [ "$(numbers "$file" "$start" 4 x1)" = " 7f 45 4c 46" ] || return 0
  table=$(number "$file" $((start + 32)) 8)
  size=$(number "$file" $((start + 54)) 2)
  count=$(number "$file" $((start + 56)) 2)
  if [ "$size" != 56 ] || [ "$table" -le 0 ] || [ $((table + size * count)) -gt "$limit" ]; then return 0; fi
  for ((entry = 0; entry < count; entry++)); do
    at=$((start + table + entry * size))
    type=$(number "$file" $at 4)
    [ "$type" = 4 ] || continue
    offset=$(number "$file" $((at + 8)) 8)
    bytes=$(number "$file" $((at + 32)) 8)
    # Node's later builds carry large notes of other kinds in segments of their own.
    if [ "$offset" -lt 0 ] || [ $((offset + 16)) -gt "$limit" ] || [ "$bytes" -gt 65536 ]; then continue; fi
    at=$offset
    while [ $((at + 16)) -le $((offset + bytes)) ] && [ $((at + 16)) -le "$limit" ]; do
      name_size=$(number "$file" $((start + at)) 4)
      id_size=$(number "$file" $((start + at + 4)) 4)
      type=$(number "$file" $((start + at + 8)) 4)
      padded=$(((name_size + 3) / 4 * 4))
      if [ "$name_size" -gt 64 ] || [ "$id_size" -gt 65536 ]; then break; fi
      if [ "$type" = 3 ] && [ "$name_size" = 4 ] && [ "$(numbers "$file" $((start + at + 12)) 4 x1)" = " 47 4e 55 00" ]; then
        if [ $((at + 16 + id_size)) -gt "$limit" ] || [ "$id_size" -gt 64 ]; then return 0; fi
        numbers "$file" $((start + at + 16)) "$id_size" x1 | tr -d ' \n'
        return 0
      fi
      at=$((at + 12 + padded + (id_size + 3) / 4 * 4))
    done
  done
  return 0
}

build_id() { build_id_at "$1" 0 $(($(wc -c <"$1"))); }

# Sets core_executable (path, or empty) and core_build_id (hex, or empty); on failure elf_error.
core_facts() {
  local file=$1 table count size=56 i type start bytes at entry=0 name_size desc_size desc kind
  local -a header words lows highs
  core_executable='' core_build_id='' elf_error=''
  if [ "$(elf_type "$file")" != core ]; then
    elf_error="not a core file"
    return 1
  fi
  if [ "$(numbers "$file" 0 4 x1)" != " 7f 45 4c 46" ]; then
    return 0 # A Mach-O core: it says neither.
  fi
  table=$(number "$file" 32 8)
  count=$(number "$file" 56 2)
  # With more segments than fit, the number is in the first section header.
  if [ "$count" = 65535 ]; then count=$(number "$file" $(($(number "$file" 40 8) + 44)) 4); fi
  # More segments than any process has, a hundred thousand, are a broken file.
  if [ "$count" -gt 100000 ]; then count=0; fi
  read -ra header < <(numbers "$file" "$table" $((count * size)) u8) || true
  if [ "$count" -eq 0 ] || [ ${#header[@]} -lt $((count * 7)) ]; then
    elf_error="the core is cut short: its table of segments is missing"
    return 1
  fi

  # The notes: where the program began (NT_AUXV's AT_ENTRY), and which files were mapped where (NT_FILE).
  for ((i = 0; i < count; i++)); do
    type=$((header[i * 7] & 0xffffffff))
    [ $type = 4 ] || continue
    start=${header[i * 7 + 1]} bytes=${header[i * 7 + 4]}
    if [ "$start" -le 0 ] || [ "$bytes" -le 0 ] || [ "$bytes" -gt $((64 << 20)) ]; then continue; fi
    # Four-byte words, some of them the halves of eight-byte ones.
    read -ra words < <(numbers "$file" "$start" "$bytes" u4) || true
    at=0
    while [ $((at + 3)) -le ${#words[@]} ]; do
      name_size=${words[at]} desc_size=${words[at + 1]} kind=${words[at + 2]}
      desc=$((at + 3 + (name_size + 3) / 4))
      at=$((desc + (desc_size + 3) / 4))
      [ $at -le ${#words[@]} ] || break
      if [ "$kind" = 6 ]; then
        local pair
        for ((pair = desc; pair + 3 < at; pair += 4)); do
          if [ "${words[pair]}" = 9 ]; then entry=$((words[pair + 2] | words[pair + 3] << 32)); fi
        done
      elif [ "$kind" = $((0x46494c45)) ]; then
        local files names=() one name='' base='' low high
        files=${words[desc]}
        [ $((desc + 4 + files * 6)) -le $at ] || break
        mapfile -t names < <(tail -c +$((start + (desc + 4 + files * 6) * 4 + 1)) -- "$file" | head -c $((desc_size - 16 - files * 24)) | tr '\0' '\n')
        lows=() highs=()
        for ((one = 0; one < files; one++)); do
          lows+=($((words[desc + 4 + one * 6] | words[desc + 5 + one * 6] << 32)))
          highs+=($((words[desc + 6 + one * 6] | words[desc + 7 + one * 6] << 32)))
        done
        for ((one = 0; one < files; one++)); do
          if [ "$entry" -ge "${lows[one]}" ] && [ "$entry" -lt "${highs[one]}" ]; then name=${names[one]-}; fi
        done
        [ -n "$name" ] || break
        core_executable=${name% (deleted)}
        # The image begins at the file's first mapping.
        for ((one = 0; one < files; one++)); do
          if [ "${names[one]-}" = "$name" ] && [ "${words[desc + 8 + one * 6]}" = 0 ]; then base=${lows[one]} && break; fi
        done
        [ -n "$base" ] || break
        for ((one = 0; one < count; one++)); do
          low=${header[one * 7 + 2]} high=${header[one * 7 + 4]}
          if [ $((header[one * 7] & 0xffffffff)) = 1 ] && [ "$low" = "$base" ] && [ "$high" -gt 0 ]; then
            core_build_id=$(build_id_at "$file" "${header[one * 7 + 1]}" "$high")
          fi
        done
      fi
    done
  done
  return 0
}
