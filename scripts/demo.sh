#!/bin/sh
# The demo: a story of one project, in a store of its own that is removed at the end.
set -eu
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/sbin:/sbin"
siru=$PWD/bin/siru

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
SIRU_ROOT=$work/store
export SIRU_ROOT

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi
chapter() { printf '\n%s== %s%s\n' "$bold" "$1" "$plain"; }
run() { printf '%s$ %s%s\n' "$bold" "$*" "$plain"; "$@"; }
siru() { "$siru" "$@"; }

busybox=$(command -v busybox || true)
if [ -z "$busybox" ]; then echo "demo: busybox is missing (Debian: busybox-static), so there is nothing to make a base image of" >&2; exit 1; fi

chapter 'A small base image, made of busybox'
mkdir -p "$work/root/bin" "$work/root/etc" "$work/root/tmp"
cp "$busybox" "$work/root/bin/busybox"
for tool in sh ls cat echo wc mkdir sleep env; do ln -s busybox "$work/root/bin/$tool"; done
echo 'root:x:0:0:root:/root:/bin/sh' > "$work/root/etc/passwd"
tar -C "$work/root" -cf "$work/base.tar" .
run siru import --change 'CMD ["sh"]' "$work/base.tar" base:1.0

chapter 'A project of two stages'
mkdir -p "$work/app/src"
cd "$work/app"
echo 'Hello from Siru' > src/greeting.txt
echo 'Steam, layer by layer' > src/motto.txt
cat > Dockerfile <<'EOF'
FROM base:1.0 AS builder
WORKDIR /src
RUN echo 'fetching tools' && sleep 1
COPY src ./
RUN cat greeting.txt motto.txt > /message && wc -c /message

FROM base:1.0
ENV NAME=world
COPY --from=builder /message /message
CMD ["sh", "-c", "cat /message; echo Good morning, $NAME"]
EOF
run cat Dockerfile

chapter 'Build it'
run siru build -t hello:1.0 .

chapter 'Build it again: nothing is executed'
run siru build -t hello:1.0 .

chapter 'Change one file and build again: the output says which step missed, and why'
echo 'Rice cake for everyone' > src/motto.txt
run siru build -t hello:1.1 .

chapter 'Run it'
run siru run --rm hello:1.1

chapter 'Run it with a changed environment variable'
run siru run --rm -e NAME=Seoul hello:1.1

chapter 'What there is, and how it came about'
run siru images
run siru history hello:1.1

chapter 'The store was temporary; it is gone now'
