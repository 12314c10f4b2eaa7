/** Builds an image with a RUN, and runs it with another environment. Needs Linux and a static busybox. */
import { copyFile, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, isSiruError, openStore, run } from 'siru';

const busybox = process.env.BUSYBOX ?? '/bin/busybox';
const context = await mkdtemp(join(tmpdir(), 'example-'));
await copyFile(busybox, join(context, 'busybox'));
await writeFile(join(context, 'Dockerfile'), `FROM scratch
COPY busybox /bin/
RUN ["/bin/busybox", "--install", "-s", "/bin"]
ENV NAME=world
CMD ["sh", "-c", "echo Good morning, $NAME"]
`);

await using store = await openStore({ root: process.env.EXAMPLE_STORE });
try {
  await build({ store, context, tags: ['morning:1'] });
  const onOutput = (_stream: 'stdout' | 'stderr', bytes: Buffer): void => void process.stdout.write(bytes);

  await run({ store, image: 'morning:1', remove: true, onOutput });
  await run({ store, image: 'morning:1', remove: true, env: [['NAME', 'Seoul']], onOutput });
  const { exitCode } = await run({ store, image: 'morning:1', args: ['sh', '-c', 'exit 3'], remove: true });
  console.log(`exit code ${exitCode}`);
} catch (error) {
  if (!isSiruError(error) || error.code !== 'RUNTIME') throw error;
  console.error(`this machine cannot run containers\n${error.hint}`);
  process.exitCode = 77;
}
