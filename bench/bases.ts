/** Base images for the benchmarks: busybox, and a small Debian when mmdebstrap is here. As tars that every tool imports. */
import { copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './process.ts';

export interface Base {
  tar: string;
  tag: string;
}

/** Makes what is not there yet. Without mmdebstrap the Debian base is left out. */
export function makeBases(folder: string): Base[] {
  mkdirSync(folder, { recursive: true });
  const bases = [{ tar: busybox(join(folder, 'base')), tag: 'bench-base:1' }];
  const debian = join(folder, 'debian.tar');
  if (!existsSync(debian)) {
    try {
      run(['sh', '-c', `mmdebstrap --quiet --format=tar --variant=minbase bookworm ${debian}.new && mv ${debian}.new ${debian}`]);
    } catch (error) {
      console.error(`no Debian base, its workload is left out: ${(error as Error).message.slice(-300)}`);
      return bases;
    }
  }
  return [...bases, { tar: debian, tag: 'bench-debian:1' }];
}

function busybox(root: string): string {
  rmSync(root, { recursive: true, force: true });
  for (const folder of ['bin', 'etc', 'tmp']) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  for (const tool of ['sh', 'ls', 'cat', 'echo', 'mkdir', 'sleep', 'true', 'touch', 'cp', 'rm']) symlinkSync('busybox', join(root, 'bin', tool));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  run(['tar', '-C', root, '-cf', `${root}.tar`, '.']);
  return `${root}.tar`;
}
