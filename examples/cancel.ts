/** Stops a build: its process ends, its mounts go, and what was finished stays cached. Needs Linux and a static busybox. */
import { copyFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, isSiruError, openStore } from 'siru';

const context = await mkdtemp(join(tmpdir(), 'example-'));
await copyFile(process.env.BUSYBOX ?? '/bin/busybox', join(context, 'busybox'));

await using store = await openStore({ root: process.env.EXAMPLE_STORE });
const stop = new AbortController();
try {
  await build({
    store,
    context,
    dockerfileText: 'FROM scratch\nCOPY busybox /bin/\nRUN ["/bin/busybox", "sh", "-c", "echo working; exec /bin/busybox sleep 1000"]\n',
    signal: stop.signal,
    onEvent(event) {
      if (event.type !== 'step-log') return;
      console.log(`it says: ${event.text.trim()}`);
      stop.abort();
    },
  });
} catch (error) {
  if (!isSiruError(error)) throw error;
  console.log(`${error.code}: ${error.message}`);
  process.exitCode = error.code === 'RUNTIME' ? 77 : 0;
}
