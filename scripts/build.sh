#!/bin/sh
# Compiles: dist/lib is the library with its types, dist/cli the program in few files, so that it starts quickly. Made
# beside its place and put there when it is whole; dist/built is as old as the sources that it was made of.
set -eu
cd "$(dirname "$0")/.."
node=$(sh scripts/node.sh)
new=dist.$$
trap 'rm -rf "$new" "$new.old"' EXIT
mkdir "$new"
touch "$new/built"
"$node" node_modules/typescript/bin/tsc -p tsconfig.build.json --outDir "$new/lib"
"$node" scripts/bundle.mjs "$new/lib" "$new/cli"
[ ! -d dist ] || mv dist "$new.old"
mv "$new" dist
