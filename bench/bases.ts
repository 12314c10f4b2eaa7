/** Base images for the benchmarks: busybox, and a small Debian when mmdebstrap is here. As tars that every tool imports. */
import { copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './peers.ts';

export function makeBases(folder: string): { tar: string; tag: string }[] {
  const bases = [{ tar: busybox(join(folder, 'base')), tag: 'bench-base:1' }];
  const debian = join(folder, 'debian.tar');
  if (!existsSync(debian)) {
    run(['sh', '-c', `mmdebstrap --variant=minbase bookworm ${debian}.new && mv ${debian}.new ${debian}`], false);
  }
  bases.push({ tar: debian, tag: 'bench-debian:1' });
  return bases;
}

function busybox(root: string): string {
  rmSync(root, { recursive: true, force: true });
  for (const folder of ['bin', 'etc', 'tmp']) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  for (const tool of ['sh', 'ls', 'cat', 'echo', 'mkdir', 'sleep', 'true', 'touch', 'cp', 'rm']) symlinkSync('busybox', join(root, 'bin', tool));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  run(['tar', '-C', root, '-cf', `${root}.tar`, '.'], false);
  return `${root}.tar`;
}
