/** RUN --network and --security, and what the command line gives RUN: limits, proxies. */
import type { Case } from '../case.ts';

export const cases: Case[] = [
  { name: 'network-none', dockerfile: 'FROM base/busybox\nRUN --network=none ls /sys/class/net > /out; cat /etc/hosts >> /out; cat /proc/net/route >> /out\n' },
  { name: 'network-default', dockerfile: 'FROM base/busybox\nRUN --network=default touch /out\n' },
  { name: 'network-host-not-allowed', dockerfile: 'FROM base/busybox\n\nRUN --network=host true\n', args: ['--network', 'default'], refused: /network\.host/ },
  { name: 'network-host-allowed', dockerfile: 'FROM base/busybox\nRUN --network=host touch /out\n', args: ['--allow', 'network.host'] },
  { name: 'network-unknown', dockerfile: 'FROM base/busybox\nRUN --network=bridge true\n', refused: /unsupported network mode/ },
  { name: 'security-unknown', dockerfile: 'FROM base/busybox\nRUN --security=none true\n', refused: /security/ },
  { name: 'security-insecure-not-allowed', dockerfile: 'FROM base/busybox\nRUN --security=insecure true\n', refused: /security\.insecure/ },
  { name: 'device-refused', dockerfile: 'FROM base/busybox\nRUN --device=vendor.example/class=dev true\n', refused: /device/ },
  { name: 'allow-unknown', dockerfile: 'FROM base/busybox\nRUN touch /out\n', args: ['--allow', 'unknown.thing'], refused: /unknown\.thing/ },
  { name: 'flag-repeated', dockerfile: 'FROM base/busybox\nRUN --network=none --network=host true\n', refused: /network/ },
  { name: 'ulimits', dockerfile: 'FROM base/busybox\nRUN ulimit -n > /out; ulimit -Hn >> /out; ulimit -c >> /out; grep -E "cpu|nice" /proc/self/limits >> /out\n', args: ['--ulimit', 'nofile=1024:2048', '--ulimit', 'core=0', '--ulimit', 'cpu=1000'] },
  { name: 'ulimit-wrong', dockerfile: 'FROM base/busybox\nRUN true\n', args: ['--ulimit', 'nofiles=1'], refused: /ulimit/ },
  { name: 'ulimit-soft-above-hard', dockerfile: 'FROM base/busybox\nRUN true\n', args: ['--ulimit', 'nofile=20:10'], refused: /ulimit|soft/ },
  { name: 'shm-size', dockerfile: 'FROM base/busybox\nRUN df -k /dev/shm | awk "NR==2{print \\$2}" > /out\n', args: ['--shm-size', '128m'] },
  { name: 'shm-size-default', dockerfile: 'FROM base/busybox\nRUN df -k /dev/shm | awk "NR==2{print \\$2}" > /out\n' },
  { name: 'proxy-without-arg', dockerfile: 'FROM base/busybox\nRUN env | grep -i proxy | sort > /out\n', args: ['--build-arg', 'HTTP_PROXY=http://proxy:1', '--build-arg', 'no_proxy=localhost', '--build-arg', 'ALL_PROXY=x', '--build-arg', 'ftp_proxy=f', '--build-arg', 'Https_Proxy=no'] },
  { name: 'proxy-declared', dockerfile: 'FROM base/busybox\nARG HTTP_PROXY\nRUN env | grep -i proxy | sort > /out\n', args: ['--build-arg', 'HTTP_PROXY=http://proxy:1', '--build-arg', 'https_proxy=http://proxy:2'] },
  { name: 'proxy-set-by-env', dockerfile: 'FROM base/busybox\nENV HTTP_PROXY=mine\nRUN env | grep -i proxy | sort > /out\n', args: ['--build-arg', 'HTTP_PROXY=http://proxy:1'] },
  { name: 'proxy-expansion', dockerfile: 'FROM base/busybox\nENV X=a${HTTP_PROXY}b\nRUN echo "$X" > /out\n', args: ['--build-arg', 'HTTP_PROXY=p'] },
  { name: 'memory-does-not-change-the-image', dockerfile: 'FROM base/busybox\nRUN touch /out\n', args: ['--memory', '512m', '--cpu-shares', '512'] },
  { name: 'source-date-epoch-of-environment', dockerfile: 'FROM base/busybox\nARG SOURCE_DATE_EPOCH\nRUN echo "$SOURCE_DATE_EPOCH" > /out\n', env: { SOURCE_DATE_EPOCH: '1700000000' } },
  { name: 'ignored-flags', dockerfile: 'FROM base/busybox\nRUN touch /out\n', args: ['--compress', '--rm', '--force-rm=false'] },
];
