/** Pushes an image to a registry and pulls it into another store. The registry is an argument: `localhost:5000`. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, openStore, pull, push } from 'siru';

const registry = process.argv[2] ?? 'localhost:5000';
const reference = `${registry}/example/greeting:1`;
const folder = await mkdtemp(join(tmpdir(), 'example-'));
try {
  await writeFile(join(folder, 'greeting.txt'), 'Hello\n');
  await using here = await openStore({ root: join(folder, 'here') });
  const { imageId } = await build({ store: here, context: folder, dockerfileText: 'FROM scratch\nCOPY greeting.txt /\n', tags: [reference] });
  const pushed = await push({ store: here, reference });

  await using there = await openStore({ root: join(folder, 'there') });
  const image = await pull({
    store: there,
    reference,
    onEvent(event) {
      if (event.type === 'transfer' && event.state === 'done') console.log(`pulled ${event.what}`);
    },
  });
  console.log(`the same image: ${image.imageId === imageId && image.descriptor.digest === pushed.digest}`);
} finally {
  await rm(folder, { recursive: true });
}
