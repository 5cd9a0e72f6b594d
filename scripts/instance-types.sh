#!/bin/sh
# Prints every instance type of a Node build as "number NAME", one a line.
#
# V8 itself is asked: its object statistics name each type with its number,
# used or not, in release builds too. The files in
# src/metadata/tables/instance_types/ are this output, so a table is checked
# against a build with
#
#     scripts/instance-types.sh node | diff src/metadata/tables/instance_types/12.4.txt -
#
# The statistics go on with types that exist only for them ("virtual" ones,
# beginning with the kinds of code); these are left out.
set -eu
node=${1:?usage: instance-types.sh NODE}
"$node" --trace-gc-object-stats --expose-gc -e 'gc()' |
    sed -nE 's/.*"key": "live".*"instance_type": ([0-9]+), "instance_type_name": "([A-Za-z0-9_]+)".*/\1 \2/p' |
    sort -un -k1,1 |
    awk '$1 > 1000 && $2 ~ /^(OPTIMIZED_FUNCTION|BYTECODE_HANDLER)/ { exit } { print }'
