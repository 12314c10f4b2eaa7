/** Builds an image, changes a file, builds again, and tells which step was executed and why. Works on every system. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, openStore, type Event } from 'siru';

const folder = await mkdtemp(join(tmpdir(), 'example-'));
try {
  await using store = await openStore({ root: join(folder, 'store') });
  const context = folder;
  await writeFile(join(folder, 'greeting.txt'), 'Hello\n');
  await writeFile(join(folder, '.dockerignore'), 'store\n');

  const options = {
    store,
    context,
    dockerfileText: 'FROM scratch\nCOPY greeting.txt /greeting.txt\nCMD ["/greeting.txt"]\n',
    tags: ['greeting:1'],
    onEvent(event: Event): void {
      if (event.type === 'step-done' && event.status !== 'config') console.log(`${event.status}: ${event.step.text}${event.reason === undefined ? '' : ` (${event.reason})`}`);
    },
  };
  const first = await build(options);
  const second = await build(options);
  console.log(`the same image: ${first.imageId === second.imageId}`);

  await writeFile(join(folder, 'greeting.txt'), 'Good morning\n');
  const third = await build(options);
  console.log(`another image: ${third.imageId !== second.imageId}`);
  console.log(`greeting:1 is the new one: ${store.images.byName('docker.io/library/greeting:1')?.imageId === third.imageId}`);
} finally {
  await rm(folder, { recursive: true });
}
