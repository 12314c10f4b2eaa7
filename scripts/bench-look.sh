#!/bin/sh
# What looking costs; see bench/look.ts for options.
set -eu
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/sbin:/sbin"
exec "$(sh scripts/node.sh)" bench/look.ts "$@"
