#!/usr/bin/env -S node --
// The program for package managers and for work on the sources: the compiled code when there are no sources beside it,
// else the TypeScript sources, which Node 24 runs as they are.
import { existsSync } from 'node:fs';

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`siru: needs Node 24 or newer, this is ${process.versions.node} (${process.execPath})\n`);
  process.exit(1);
}
const source = new URL('../src/cli/main.ts', import.meta.url);
if (existsSync(source)) {
  const { main } = await import(source.href);
  await main(process.argv.slice(2));
} else await import('./siru.cjs');
