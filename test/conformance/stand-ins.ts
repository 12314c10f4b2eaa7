/**
 * Images by the names that the Dockerfiles of examples/ stand on, made by code: busybox with scripts in the place of package
 * managers and compilers. They do what theirs do to the file system, in small and without a network, so that the layers of
 * a build can be compared.
 */
import type { Tree } from './bases.ts';

export interface StandIn {
  /** Beside the everyday root file system. */
  files: Tree;
  config?: object;
}

const script = (text: string): { text: string; mode: number } => ({ text: `#!/bin/sh\nset -e\n${text.trim()}\n`, mode: 0o755 });
const path = (...first: string[]): string => `PATH=${[...first, '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(':')}`;

/** Of Debian's images: what busybox has under another name, or not at all. */
const debian: Tree = {
  'bin/bash': script('exec /bin/sh "$@"'),
  'usr/sbin/groupadd': script('for last; do :; done\ngid=1000\nwhile [ $# -gt 0 ]; do [ "$1" = --gid ] && gid=$2; shift; done\necho "$last:x:$gid:" >> /etc/group'),
  'usr/sbin/useradd': script(`
uid=1000 gid= name= home=
while [ $# -gt 0 ]; do
  case $1 in
    -u|--uid) uid=$2; shift ;;
    -g|--gid) gid=$2; shift ;;
    --home-dir) home=$2; shift ;;
    -s|--shell) shift ;;
    -m|--create-home) make=1 ;;
    -*) ;;
    *) name=$1 ;;
  esac
  shift
done
home=\${home:-/home/$name}
case $gid in
  '') gid=$uid; echo "$name:x:$gid:" >> /etc/group ;;
  *[!0-9]*) gid=$(grep "^$gid:" /etc/group | cut -d: -f3) ;;
esac
echo "$name:x:$uid:$gid::$home:/bin/sh" >> /etc/passwd
[ -z "$make" ] || { mkdir -p "$home"; echo '# settings' > "$home/.bashrc"; chown -R "$uid:$gid" "$home"; chmod 700 "$home"; }`),
  'usr/bin/apt-get': script(`
case $1 in
  update) mkdir -p /var/lib/apt/lists && echo packages > /var/lib/apt/lists/packages ;;
  install)
    test -f /var/lib/apt/lists/packages
    for name; do case $name in install|-*) ;; *) mkdir -p "/usr/share/$name"; echo "$name" >> /var/lib/dpkg/status; echo "$name" > "/usr/bin/$name"; chmod 755 "/usr/bin/$name" ;; esac; done ;;
esac`),
  'usr/bin/strip': script('true'),
  'var/lib/dpkg/status': '',
};

const npm = script(`
case $1 in
  ci)
    mkdir -p /root/.npm node_modules 2>/dev/null || true
    grep node_modules/ package-lock.json | while read -r line; do
      case "$line $*" in *'"dev": true'*--omit=dev*) continue ;; esac
      name=$(echo "$line" | sed 's,.*"node_modules/\\([^"]*\\)".*,\\1,')
      mkdir -p "node_modules/$name"
      echo "$line" > "node_modules/$name/package.json"
      echo cached > "/root/.npm/$(echo "$name" | tr / _)" 2>/dev/null || true
    done ;;
  run)
    mkdir -p dist
    for file in src/*; do sed 's/^/built: /' "$file" > "dist/$(basename "$file" .ts).js"; done ;;
esac`);

const pip = script(`
mkdir -p /root/.cache/pip
prefix=\${VIRTUAL_ENV:-$(dirname "$(dirname "$(command -v python)")")}
grep -v '^#' "$3" | while IFS== read -r name rest; do
  mkdir -p "$prefix/lib/python3.12/site-packages/$name"
  echo "$name$rest" > "$prefix/lib/python3.12/site-packages/$name/METADATA"
  echo "$name" > /root/.cache/pip/$name
done`);

const go = script(`
case $1 in
  mod) mkdir -p /go/pkg/mod && cut -d' ' -f1 go.sum | while read -r name; do mkdir -p "/go/pkg/mod/$name"; done ;;
  build)
    while [ $# -gt 1 ]; do case $1 in -o) out=$2 ;; -ldflags=*) flags=$1 ;; esac; shift; done
    mkdir -p "$(dirname "$out")"
    { echo "$GOOS/$GOARCH $GOARM $flags"; cat "$1"/*.go; } > "$out"
    chmod 755 "$out" ;;
esac`);

export const standIns: Record<string, StandIn> = {
  'alpine:3.20': { files: { 'sbin/apk': script('shift\nfor name; do case $name in -*) ;; *) echo "P:$name" >> /lib/apk/db/installed ;; esac; done'), 'lib/apk/db/installed': '', 'etc/crontabs/root': '', 'etc/periodic/daily/': '' }, config: { Env: [path()], Cmd: ['/bin/sh'] } },
  'debian:bookworm-slim': { files: debian, config: { Env: [path()], Cmd: ['bash'] } },
  'node:22-alpine': {
    files: { 'usr/local/bin/npm': npm, 'usr/local/bin/node': script('echo "node $*"') },
    config: { Env: [path(), 'NODE_VERSION=22.11.0'], Entrypoint: ['docker-entrypoint.sh'], Cmd: ['node'] },
  },
  'nginx:1.27-alpine': {
    files: { 'etc/nginx/nginx.conf': 'http { include conf.d/*.conf; }\n', 'etc/nginx/conf.d/default.conf': 'server {}\n', 'usr/share/nginx/html/index.html': 'Welcome\n', 'usr/share/nginx/html/50x.html': 'Sorry\n' },
    config: { Env: [path(), 'NGINX_VERSION=1.27.3'], Entrypoint: ['/docker-entrypoint.sh'], Cmd: ['nginx', '-g', 'daemon off;'], ExposedPorts: { '80/tcp': {} }, StopSignal: 'SIGQUIT', Labels: { maintainer: 'web servers' } },
  },
  'python:3.12-slim': {
    files: {
      ...debian,
      'usr/local/bin/python': script('[ "$2" != venv ] || { mkdir -p "$3/bin" "$3/lib/python3.12/site-packages"; ln -s /usr/local/bin/python "$3/bin/python"; cp /usr/local/bin/pip "$3/bin/pip"; echo "home = /usr/local/bin" > "$3/pyvenv.cfg"; }'),
      'usr/local/bin/pip': pip, 'usr/local/lib/python3.12/site-packages/': '', 'usr/local/bin/ruff': script('echo "All checks passed!"'), 'usr/local/bin/pytest': script('echo "1 passed"'),
    },
    config: { Env: [path('/usr/local/bin'), 'LANG=C.UTF-8', 'PYTHON_VERSION=3.12.7'], Cmd: ['python3'] },
  },
  'golang:1.23-alpine': { files: { 'usr/local/go/bin/go': go, 'go/': { type: 'dir', mode: 0o1777 }, 'etc/ssl/certs/ca-certificates.crt': 'certificates\n' }, config: { Env: [path('/go/bin', '/usr/local/go/bin'), 'GOPATH=/go'], WorkingDir: '/go' } },
  'rust:1.83': {
    files: { ...debian, 'usr/local/cargo/bin/cargo': script('mkdir -p target/release/deps\ngrep -h ^name Cargo.lock > target/release/deps/list\ncat src/*.rs > target/release/tool\nchmod 755 target/release/tool') },
    config: { Env: [path('/usr/local/cargo/bin'), 'CARGO_HOME=/usr/local/cargo'], Cmd: ['bash'] },
  },
  'maven:3-eclipse-temurin-21': {
    files: { ...debian, 'usr/bin/mvn': script('case $2 in\n  dependency:go-offline) mkdir -p /root/.m2 && cp pom.xml /root/.m2/ ;;\n  package) mkdir -p target && { cat pom.xml; find src -type f | sort; } > target/shop-2.1.0.jar ;;\nesac') },
    config: { Env: [path()], Entrypoint: ['/usr/local/bin/mvn-entrypoint.sh'], Cmd: ['mvn'] },
  },
  'eclipse-temurin:21-jre': {
    files: { ...debian, 'opt/java/openjdk/bin/java': script('for part in dependencies spring-boot-loader snapshot-dependencies application; do mkdir -p $part; done\nmkdir -p dependencies/BOOT-INF/lib application/BOOT-INF/classes\ngrep dependencies app.jar > dependencies/BOOT-INF/lib/list\ngrep src app.jar > application/BOOT-INF/classes/list') },
    config: { Env: ['JAVA_HOME=/opt/java/openjdk', path('/opt/java/openjdk/bin'), 'LANG=en_US.UTF-8'] },
  },
  'php:8.3-fpm-alpine': {
    files: {
      'usr/local/bin/docker-php-ext-install': script('for name; do echo "extension=$name" > "/usr/local/etc/php/conf.d/docker-php-ext-$name.ini"; done'), 'usr/local/etc/php/conf.d/': '',
      'var/www/html/': { type: 'dir', mode: 0o1777, uid: 82, gid: 82 }, 'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:82:82::/home/www-data:/sbin/nologin\n', 'etc/group': 'root:x:0:\nwww-data:x:82:\n',
    },
    config: { Env: [path(), 'PHP_INI_DIR=/usr/local/etc/php'], WorkingDir: '/var/www/html', Cmd: ['php-fpm'], ExposedPorts: { '9000/tcp': {} }, StopSignal: 'SIGQUIT' },
  },
  'composer:2': { files: { 'usr/bin/composer': script('grep name composer.lock | cut -d\'"\' -f4 | while read -r name; do mkdir -p "vendor/$name"; echo "$name" > "vendor/$name/composer.json"; echo "$name" > "$COMPOSER_CACHE_DIR/$(basename "$name")"; done\necho "<?php" > vendor/autoload.php') } },
  'ruby:3.3-slim': {
    files: { ...debian, 'usr/local/bin/bundle': script('mkdir -p "$BUNDLE_PATH/ruby/3.3.0/gems" "$BUNDLE_PATH/ruby/3.3.0/cache"\ngrep "^    " Gemfile.lock | while read -r name rest; do mkdir "$BUNDLE_PATH/ruby/3.3.0/gems/$name"; echo "$name" > "$BUNDLE_PATH/ruby/3.3.0/cache/$name.gem"; done'), 'usr/local/bundle/': { type: 'dir', mode: 0o1777 } },
    config: { Env: [path('/usr/local/bundle/bin'), 'GEM_HOME=/usr/local/bundle'], Cmd: ['irb'] },
  },
  'dotnet/sdk:9.0': {
    files: { ...debian, 'usr/bin/dotnet': script('case $1 in\n  restore) for file in src/*/*.csproj; do mkdir -p "$(dirname "$file")/obj"; cp "$file" "$(dirname "$file")/obj/project.assets.json"; done ;;\n  publish) for last; do :; done; mkdir -p "$last"; cat "$2"/*.cs > "$last/Api.dll"; echo "$5" > "$last/Api.runtimeconfig.json" ;;\nesac') },
    config: { Env: [path(), 'DOTNET_VERSION=9.0.0'] },
  },
  'dotnet/aspnet:9.0': { files: { ...debian, 'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\napp:x:1654:1654::/home/app:/bin/sh\n' }, config: { Env: ['APP_UID=1654', 'ASPNETCORE_HTTP_PORTS=8080', path()] } },
  'postgres:17-bookworm': {
    files: {
      ...debian, 'usr/bin/make': script('cd "$2"\nd=${3#DESTDIR=}/usr/share/postgresql/17/extension\nmkdir -p "$d"\ncp *.control *.sql "$d"'), 'docker-entrypoint-initdb.d/': '', 'usr/share/postgresql/17/extension/plpgsql.control': 'built in\n',
      'var/lib/postgresql/data/': { type: 'dir', mode: 0o1777, uid: 999, gid: 999 }, 'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\npostgres:x:999:999::/var/lib/postgresql:/bin/bash\n', 'etc/group': 'root:x:0:\npostgres:x:999:\n',
    },
    config: { Env: [path('/usr/lib/postgresql/17/bin'), 'PGDATA=/var/lib/postgresql/data'], Entrypoint: ['docker-entrypoint.sh'], Cmd: ['postgres'], Volumes: { '/var/lib/postgresql/data': {} }, ExposedPorts: { '5432/tcp': {} }, StopSignal: 'SIGINT' },
  },
  'gcc:14': { files: { ...debian, 'usr/bin/make': script('obj=${1#OBJ=} out=${2#PREFIX=}\nmkdir -p "$obj" "$out/bin"\ncp *.c "$obj"\ncat "$obj"/*.c > "$out/bin/count"\nchmod 755 "$out/bin/count"') }, config: { Env: [path()], Cmd: ['bash'] } },
};
