#!/bin/sh
# The benchmark table; see bench/main.ts for options and bench/peers.ts for how peers are found.
set -eu
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/sbin:/sbin"
exec "$(sh scripts/node.sh)" bench/main.ts "$@"
