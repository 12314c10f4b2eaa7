#!/bin/sh
# Runs the tests: every *.test.ts beside what it tests. Arguments are passed to node --test.
set -eu
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/sbin:/sbin"
node=$(sh scripts/node.sh)
[ $# -gt 0 ] || set -- 'src/**/*.test.ts' 'test/**/*.test.ts' 'examples/**/*.test.ts'
exec "$node" --test --test-concurrency="${SIRU_TEST_CONCURRENCY:-3}" --test-timeout=600000 --test-reporter=spec "$@"
