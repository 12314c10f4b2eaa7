#!/bin/sh
# Compiles: dist/lib is the library with its types, dist/cli the program in few files, so that it starts quickly.
set -eu
cd "$(dirname "$0")/.."
node=$(sh scripts/node.sh)
rm -rf dist
"$node" node_modules/typescript/bin/tsc -p tsconfig.build.json
PATH="$(dirname "$node"):$PATH" "$node" node_modules/rolldown/bin/cli.mjs dist/lib/cli/main.js dist/lib/runtime/helper.js \
  --format esm --platform node --dir dist/cli --external koffi --chunkFileNames '[name].js' --logLevel warn
