#!/bin/sh
# Fuzzing: a million inputs, bounded in time and memory; see test/fuzz/main.ts for options.
set -eu
cd "$(dirname "$0")/.."
exec "$(sh scripts/node.sh)" test/fuzz/main.ts "$@"
