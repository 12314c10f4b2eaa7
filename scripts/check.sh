#!/bin/sh
# Type checks and lint.
set -eu
cd "$(dirname "$0")/.."
node=$(sh scripts/node.sh)
"$node" node_modules/typescript/bin/tsc -p tsconfig.json
PATH="$(dirname "$node"):$PATH" "$node" node_modules/oxlint/bin/oxlint --type-aware --deny-warnings src test
