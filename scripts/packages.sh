#!/usr/bin/env bash
# Has packages of the npm registry do their work, takes cores in the middle of it, and prints how stacks, variables
# and sources fared against what V8 said of the same moments (tests/packages.rs), for each release and package.
# usage: scripts/packages.sh [COUNT [VERSION...]]    (default: 3 moments of each, the last release of every line)
# environment: V8RS_PACKAGE       the packages to take, by spaces, as tests/programs/packagejobs.js names them
#              V8RS_SEED          other moments (default: 1)
#              V8RS_MOMENTS_KEEP  a directory for the cores that failed
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The newest that run on Node 12.
packages=(
  @babel/core@7.23.9 @babel/preset-env@7.23.9 acorn@8.8.2 ajv@8.12.0 async@3.2.4 bluebird@3.7.2
  cheerio@1.0.0-rc.12 coffeescript@2.7.0 core-js@3.30.0 date-fns@2.29.3 ejs@3.1.9 eslint@8.36.0 esprima@4.0.1
  express@4.18.2 fastify@3.29.5 handlebars@4.7.8 highlight.js@11.7.0 immutable@4.3.0 jsdom@16.7.0 koa@2.13.4
  less@4.1.3 lodash@4.17.21 marked@4.3.0 mathjs@10.6.4 moment@2.29.4 pino@7.11.0 prettier@2.8.8 protobufjs@6.11.3
  pug@3.0.2 react@18.2.0 react-dom@18.2.0 regenerator-runtime@0.13.11 rollup@2.79.1 rxjs@7.8.1 sass@1.49.11
  sql.js@1.8.0 terser@5.16.9 three@0.136.0 tslib@2.5.0 typescript@4.9.5 uglify-js@3.17.4 vue@2.7.14
  vue-server-renderer@2.7.14 vue-template-compiler@2.7.14 xml2js@0.4.23 zod@3.21.4
)

V8RS_MOMENTS=${1:-3}
[ $# -gt 0 ] && shift
V8RS_NODES=${*:-${last_releases[*]}}
V8RS_CACHE=$cache
V8RS_PACKAGES=$cache/packages-$(printf '%s\n' "${packages[@]}" | sha256sum | cut -c1-12)
V8RS_PACKAGE=${V8RS_PACKAGE:-$(sed -nE "s/^jobs(\.|\[')([a-zA-Z0-9.-]+)('\])? = .*/\2/p" "$root/tests/programs/packagejobs.js" | tr '\n' ' ')}
export V8RS_MOMENTS V8RS_NODES V8RS_CACHE V8RS_PACKAGES V8RS_PACKAGE

for version in $V8RS_NODES; do "$root/scripts/node.sh" "$version" >/dev/null; done
lock "$cache/.lock-packages"
if [ ! -e "$V8RS_PACKAGES/done" ]; then
  have npm || apt_need npm
  have cc || apt_need gcc libc6-dev
  mkdir -p "$V8RS_PACKAGES"
  printf '{ "private": true }\n' >"$V8RS_PACKAGES/package.json"
  npm install --silent --ignore-scripts --no-audit --no-fund --legacy-peer-deps --prefix "$V8RS_PACKAGES" \
    "${packages[@]}" >/dev/null || die "npm could not fetch the packages"
  touch "$V8RS_PACKAGES/done"
fi
cc -O1 -Wall -shared -fPIC -o "$V8RS_PACKAGES/forked.node" "$root/tests/programs/forked.c"
unlock

cd "$root"
cargo test --release --no-default-features --test packages -- --ignored --nocapture --test-threads 1 |
  sed -nE 's/^PACKAGES //p; /^WRONG /,/^PACKAGES|^WRONG/{/^(WRONG|    ours|  theirs)/p;}'
exit "${PIPESTATUS[0]}"
