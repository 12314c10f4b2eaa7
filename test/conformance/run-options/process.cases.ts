/** RUN: what the process finds when it starts. */
import type { Case } from '../case.ts';

/** Each user's variables, without those that the base sets. */
const environments = ['app', '1000', '4321', '4321:50', 'app:staff', '0', 'root', 'nobody'].map((user) => `USER ${user}\nRUN id >> /tmp/who; env | sort >> /tmp/who\n`).join('');

export const cases: Case[] = [
  { name: 'process-environment-of-users', dockerfile: `FROM base/busybox\nRUN touch /tmp/who; chmod 666 /tmp/who; id >> /tmp/who; env | sort >> /tmp/who\n${environments}` },
  {
    name: 'process-groups-of-odd-users',
    dockerfile: 'FROM base/users\nRUN mkdir -m 777 /w; id > /w/default\nUSER root\nRUN id > /w/root\nUSER 0\nRUN id > /w/0\nUSER 0:0\nRUN id > /w/00\nUSER app\nRUN id > /w/app\nUSER 1000\nRUN id > /w/1000\nUSER 1000:1001\nRUN id > /w/pair\nUSER 4000\nRUN id > /w/4000\nUSER other:extra\nRUN id > /w/other\nUSER nogroup\nRUN id > /w/nogroup\nUSER dash-ed.user_1\nRUN id > /w/dash\n',
  },
  { name: 'process-unknown-user-refused', dockerfile: 'FROM base/busybox\nUSER ghost\nRUN true\n', refused: /ghost/ },
  { name: 'process-unknown-group-refused', dockerfile: 'FROM base/busybox\nUSER app:ghosts\nRUN true\n', refused: /ghosts/ },
  { name: 'process-home-and-term-set', dockerfile: 'FROM base/busybox\nENV HOME=/x TERM=foo HOSTNAME=bar\nRUN env | sort > /out; hostname >> /out\n' },
  { name: 'process-hostname-argument', dockerfile: 'FROM base/busybox\nRUN hostname > /out; cat /etc/hosts >> /out; cat /proc/sys/kernel/hostname >> /out\n', args: ['--build-arg', 'BUILDKIT_SANDBOX_HOSTNAME=box'] },
  { name: 'process-hosts', dockerfile: 'FROM base/busybox\nRUN cat /etc/hosts > /out\n' },
  { name: 'process-hosts-added', dockerfile: 'FROM base/busybox\nRUN cat /etc/hosts > /out\n', args: ['--add-host', 'a:1.2.3.4', '--add-host', 'b=5.6.7.8', '--add-host', 'six:::1', '--add-host', 'sixb=[fe80::1]', '--add-host', 'A.Upper:1.1.1.1'] },
  { name: 'process-hosts-cannot-be-written', dockerfile: 'FROM base/busybox\nRUN echo x >> /etc/hosts || echo "$?" > /out\nRUN echo x >> /etc/resolv.conf || echo "$?" > /out2\n' },
  { name: 'process-hosts-write-fails', dockerfile: 'FROM base/busybox\nRUN echo x >> /etc/hosts\n', refused: /exit(ed with)? code:? 1/ },
  { name: 'process-etc-cannot-be-removed', dockerfile: 'FROM base/busybox\nRUN rm -r /etc || echo "$?" > /out; ls /etc >> /out\n' },
  { name: 'process-hosts-of-base-stays', dockerfile: 'FROM base/busybox\nRUN ls /etc > /out; touch /etc/new\nFROM base/busybox\nCOPY --from=0 /etc /copied\n' },
  { name: 'process-hosts-replaced', dockerfile: 'FROM base/busybox\nRUN cp /etc/hosts /tmp/h; mv /tmp/h /etc/hosts || echo failed > /out\nRUN rm -f /etc/hosts || echo failed > /out2\n' },
  { name: 'process-bare-root-stubs', dockerfile: 'FROM base/bare\nRUN ["/bin/touch", "/new"]\n' },
  { name: 'process-bare-etc-made-by-step', dockerfile: 'FROM base/bare\nRUN ["/bin/touch", "/etc/new"]\n' },
  { name: 'process-bare-second-step', dockerfile: 'FROM base/bare\nRUN ["/bin/touch", "/new"]\nRUN ["/bin/touch", "/new2"]\n' },
  { name: 'process-bare-listing', dockerfile: 'FROM base/bare\nRUN ["/bin/sh", "-c", "/bin/ls -lan / | /bin/grep -v \\\\.\\\\. | /bin/busybox awk \'{print $1,$3,$4,$9}\' > /out; /bin/ls /etc >> /out"]\n' },
  { name: 'process-status', dockerfile: 'FROM base/busybox\nRUN grep -E "Cap|NoNewPrivs|^Seccomp:|Uid|Gid|Groups" /proc/self/status > /out; umask >> /out; cat /proc/self/oom_score_adj >> /out; pwd >> /out\nUSER app\nRUN grep Cap /proc/self/status > /tmp/out\n' },
  { name: 'process-stdin-is-empty', dockerfile: 'FROM base/busybox\nRUN cat > /out; wc -c /out > /size; tty >> /size; [ -t 1 ] || echo no terminal >> /size\n' },
  { name: 'process-descriptors', dockerfile: 'FROM base/busybox\nRUN ls /proc/self/fd > /out\n' },
  { name: 'process-devices', dockerfile: 'FROM base/busybox\nRUN ls /dev | grep -v core > /out; for d in null zero full random urandom tty ptmx; do stat -L -c "%n %a %t %T" /dev/$d >> /out; done; readlink /dev/fd /dev/stdin /dev/stdout /dev/stderr /dev/ptmx >> /out; stat -c "%a %F" /dev /dev/shm /dev/pts /dev/mqueue >> /out; grep -c /dev/shm /proc/mounts >> /out\n' },
  { name: 'process-device-files-are-gone', dockerfile: 'FROM base/busybox\nRUN touch /dev/file /dev/shm/file /run-file; mkdir /dev/folder\nRUN ls /dev/file /dev/folder || touch /gone\n' },
  { name: 'process-working-directory-made', dockerfile: 'FROM base/busybox\nUSER app\nWORKDIR /a/b\nRUN pwd > /tmp/out; ls -ldn /a /a/b | awk "{print \\$1,\\$3,\\$4,\\$NF}" >> /tmp/out\n' },
  { name: 'process-working-directory-removed', dockerfile: 'FROM base/busybox\nWORKDIR /gone\nRUN rmdir /gone\nRUN pwd > /out\n' },
  { name: 'process-working-directory-is-a-file', dockerfile: 'FROM base/busybox\nRUN touch /file\nENV X=1\nWORKDIR /file\nRUN pwd\n', refused: /file/ },
  { name: 'process-exit-code', dockerfile: 'FROM base/busybox\nRUN true\nRUN echo one \\\n  && exit 42\n', refused: /exit(ed with)? code:? 42/ },
  { name: 'process-no-such-program', dockerfile: 'FROM base/busybox\nRUN ["/nothing"]\n', refused: /nothing/ },
  { name: 'process-not-executable', dockerfile: 'FROM base/busybox\nRUN ["/etc/passwd"]\n', refused: /passwd/ },
  { name: 'process-leaves-others', dockerfile: 'FROM base/busybox\nRUN sleep 300 & echo done > /out\n' },
  { name: 'process-whiteout-name', dockerfile: 'FROM base/busybox\nRUN touch /etc/.wh.x\n', differs: { section: 'Files', why: 'BuildKit keeps it, and the file means that /etc/x is removed', shows: /^[-+] / } },
  { name: 'process-long-path', dockerfile: 'FROM base/busybox\nRUN n=$(printf "%0200d" 0); i=0; while [ $i -lt 20 ]; do mkdir $n && cd $n; i=$((i+1)); done; echo deep > file\nRUN n=$(printf "%0200d" 0); i=0; while [ $i -lt 20 ]; do cd $n; i=$((i+1)); done; cat file > /out\n' },
  { name: 'process-path-that-is-too-long', dockerfile: 'FROM base/busybox\nRUN n=$(printf "%0200d" 0); i=0; while [ $i -lt 30 ]; do mkdir $n && cd $n; i=$((i+1)); done; echo deep > file\nRUN n=$(printf "%0200d" 0); i=0; while [ $i -lt 30 ]; do cd $n; i=$((i+1)); done; cat file > /out\n', differs: { section: 'Limits', why: 'no path of more than 4096 bytes', shows: /^[-+] / } },
];
