#!/usr/bin/env node
// The program. Compiled code when it is there, else the TypeScript sources, which Node 24 runs as they are.
import { existsSync } from 'node:fs';
import module from 'node:module';

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`siru: needs Node 24 or newer, this is ${process.versions.node} (${process.execPath})\n`);
  process.exit(1);
}
module.enableCompileCache?.();
const built = new URL('../dist/cli/main.js', import.meta.url);
const { main } = await import(existsSync(built) ? built.href : new URL('../src/cli/main.ts', import.meta.url).href);
await main(process.argv.slice(2));
