// As bin/siru.mjs, always from the sources: used when the compiled program is older than they are.
const { main } = await import(new URL('../../src/cli/main.ts', import.meta.url).href);
await main(process.argv.slice(2));
