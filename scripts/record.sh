#!/bin/sh
# Records what docker makes of the cases of the differential suite; see test/conformance/README.md.
set -eu
cd "$(dirname "$0")/.."
node=$(sh scripts/node.sh)
exec "$node" test/conformance/record.ts "$@"
