/** A small init for containers: one of the machine's, or a shell of busybox that does the same. */
import { openSync, readSync, closeSync } from 'node:fs';
import { SiruError } from '../base/errors.ts';
import { findProgram } from './runtimes.ts';

/** Passes signals on (the last of those that come before it knows its child, too), reaps what is orphaned, and ends with the code of its one child. */
const shell = `
siru_child= siru_early=
for s in HUP INT QUIT TERM USR1 USR2 CONT WINCH; do trap "[ \\$siru_child ] && kill -$s \\$siru_child 2>/dev/null || siru_early=$s" $s; done
"$@" <&0 &
siru_child=$!
[ -z "$siru_early" ] || kill -$siru_early $siru_child
while :; do
  wait $siru_child
  siru_code=$?
  kill -0 $siru_child 2>/dev/null || exit $siru_code
done`;

/** The program and the arguments that come before those of the process. Throws RUNTIME when there is none. */
export function findInit(): { path: string; name: string; args: string[] } {
  for (const name of ['docker-init', 'tini-static', 'tini', 'catatonit']) {
    const path = findProgram(name);
    if (path !== undefined && isStatic(path)) return { path, name: 'init', args: ['--'] };
  }
  const busybox = findProgram('busybox');
  if (busybox !== undefined && isStatic(busybox)) return { path: busybox, name: 'busybox', args: ['sh', '-c', shell, 'init'] };
  throw new SiruError('RUNTIME', 'there is no init for the container on this machine', {
    hint: 'Install tini or busybox (Debian: busybox-static), or leave --init out.',
  });
}

/** True when the program wants no interpreter: the container may have no C library, or another one. */
function isStatic(path: string): boolean {
  const bytes = Buffer.alloc(4096);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, bytes, 0, bytes.length, 0);
  } finally {
    closeSync(fd);
  }
  if (bytes.toString('latin1', 0, 4) !== '\x7fELF' || bytes[4] !== 2 || bytes[5] !== 1) return false;
  // ELF64: program headers begin at e_phoff (32), have e_phentsize (54) bytes and are e_phnum (56) many.
  const [start, size, count] = [Number(bytes.readBigUInt64LE(32)), bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  for (let index = 0; index < count; index++) {
    const at = start + index * size;
    if (at + 4 > bytes.length || bytes.readUInt32LE(at) === 3) return false; // PT_INTERP
  }
  return true;
}
