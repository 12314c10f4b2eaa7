#!/bin/sh
# Prints the path of a Node 24 or newer: the project's own, else the machine's.
here=$(dirname "$0")/..
[ -x "$here/.node/node" ] && { echo "$here/.node/node"; exit 0; }
command -v node
