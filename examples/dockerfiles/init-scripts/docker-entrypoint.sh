#!/bin/sh
set -e
for f in /etc/service.d/*.sh; do . "$f"; done
exec "$@"
