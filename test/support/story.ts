/** An application of 500 files and 12 steps, and nine ways to change it; docs/explain.md tells the same story. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeImage } from '../../src/images/testing/make-image.ts';
import { readImage } from '../../src/images/read.ts';
import { resolveImage } from '../../src/images/resolve.ts';
import { parseTagName } from '../../src/images/tag.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { World } from './world.ts';

const dockerfile = `FROM base:1 AS tools
WORKDIR /app
COPY package*.json ./
RUN --mount=type=cache,target=/root/.npm cp package.json /root/.npm/ && mkdir node_modules && cp package.json node_modules/
FROM tools AS build
COPY scripts scripts
RUN sh scripts/generate.sh > generated.js
COPY src src
RUN cat src/*/*.js generated.js > bundle.js
ARG VERSION=1.0
RUN echo "$VERSION" > version
FROM base:1
RUN echo 'app:x:1000:1000::/srv:/bin/sh' >> /etc/passwd
WORKDIR /srv
COPY --from=build --chown=app /app/bundle.js /app/version ./
RUN test -s bundle.js
`;

export function storyContext(world: World): string {
  const files: Record<string, string> = {
    Dockerfile: dockerfile, '.dockerignore': 'notes.txt\nsrc/*/draft.js\n', 'notes.txt': 'to do\n', 'package.json': '{"name":"app"}\n', 'package-lock.json': '{}\n',
    'scripts/generate.sh': 'echo "// generated"\n', 'src/m00/draft.js': '// a draft\n',
  };
  for (let i = 0; i < 493; i++) files[`src/m${String(i % 20).padStart(2, '0')}/f${String(i).padStart(3, '0')}.js`] = `export const f${i} = ${i};\n`;
  return world.context(files);
}

export interface Change {
  name: string;
  /** Changes the application; gives more arguments for the build. */
  make: (world: World, context: string) => Promise<string[] | void> | string[] | void;
  /** The one cause: its kind, its sentence, the instruction where it came in. Absent when nothing is executed. */
  cause?: { kind: string; text: RegExp; at: RegExp };
  /** Steps that are executed, by how they begin. */
  executed: string[];
}

const edit = (context: string, path: string, change: (text: string) => string): void => writeFileSync(join(context, path), change(readFileSync(join(context, path), 'utf8')));
const bundled = ['COPY src src', 'RUN cat src', 'RUN echo "', 'COPY --from=build', 'RUN test -s'];

export const changes: Change[] = [
  {
    name: 'content',
    make: (_, context) => edit(context, 'src/m07/f007.js', (text) => `${text}// changed\n`),
    cause: { kind: 'files', text: /^src\/m07\/f007\.js changed$/, at: /^COPY src src$/ },
    executed: bundled,
  },
  {
    name: 'mode',
    make: (_, context) => chmodSync(join(context, 'src/m01/f001.js'), 0o664),
    cause: { kind: 'files', text: /^mode of src\/m01\/f001\.js 0644 -> 0664$/, at: /^COPY src src$/ },
    // The bundle is what it was: what stands on it alone stays cached.
    executed: ['COPY src src', 'RUN cat src', 'RUN echo "'],
  },
  {
    name: 'new file',
    make: (_, context) => writeFileSync(join(context, 'src/m02/new.js'), 'export const fresh = true;\n'),
    cause: { kind: 'files', text: /^src\/m02\/new\.js is new$/, at: /^COPY src src$/ },
    executed: bundled,
  },
  {
    name: 'a file that is ignored',
    make: (_, context) => edit(context, 'src/m00/draft.js', (text) => `${text}// more\n`),
    executed: [],
  },
  {
    name: 'a file that is not ignored any more',
    make: (_, context) => edit(context, '.dockerignore', (text) => text.replace('src/*/draft.js\n', '')),
    cause: { kind: 'files', text: /^src\/m00\/draft\.js is new$/, at: /^COPY src src$/ },
    executed: bundled,
  },
  {
    name: 'build argument',
    make: () => ['--build-arg', 'VERSION=2.0'],
    cause: { kind: 'argument', text: /^build argument VERSION 1\.0 -> 2\.0$/, at: /^RUN echo "2\.0" > version$/ },
    executed: ['RUN echo "', 'COPY --from=build', 'RUN test -s'],
  },
  {
    name: 'instruction',
    make(_, context) {
      edit(context, 'Dockerfile', (text) => text.replace('RUN test -s bundle.js', 'RUN test -s bundle.js && test -s version'));
      return ['--build-arg', 'VERSION=2.0'];
    },
    cause: { kind: 'instruction', text: /^the instruction changed$/, at: /^RUN test -s bundle\.js && test -s version$/ },
    executed: ['RUN test -s'],
  },
  {
    name: 'cache mount',
    make(_, context) {
      edit(context, 'Dockerfile', (text) => text.replace('target=/root/.npm', 'target=/root/.npm,sharing=locked'));
      return ['--build-arg', 'VERSION=2.0'];
    },
    cause: { kind: 'mount', text: /^mount \/root\/\.npm: sharing shared -> locked$/, at: /^RUN --mount=type=cache/ },
    // It gives what it gave before, so that all that stands on it stays cached.
    executed: ['RUN --mount=type=cache'],
  },
  {
    name: 'base image',
    async make({ store: root }) {
      await using store = await openStore({ root });
      const { config, layers } = readImage(store, resolveImage(store, 'base:1'));
      const other = makeImage(store, { layers: [{ 'etc/release': '2\n' }] });
      const [added] = readImage(store, other).layers;
      const rootfs = { type: 'layers' as const, diff_ids: [...config.rootfs.diff_ids, added!.diffId] };
      const blob = store.blobs.put(Buffer.from(JSON.stringify({ ...config, rootfs, history: [...config.history!, { created_by: 'RUN apk upgrade' }] })));
      const mediaType = 'application/vnd.oci.image.manifest.v1+json';
      const manifest = store.blobs.put(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...blob }, layers: [...layers, added!].map(({ descriptor }) => descriptor) })));
      store.images.put({ descriptor: { mediaType, ...manifest }, imageId: blob.digest, manifest: manifest.digest });
      store.images.tag(parseTagName('base:1'), manifest.digest);
      return ['--build-arg', 'VERSION=2.0'];
    },
    cause: { kind: 'base', text: /^base image base:1 is another one: [0-9a-f]{12} -> [0-9a-f]{12}$/, at: /^FROM base:1$/ },
    // Their files are what they were, and that is all that a COPY asks of what is below it.
    executed: ['RUN --mount=type=cache', 'RUN sh scripts', 'RUN cat src', 'RUN echo "', "RUN echo 'app", 'RUN test -s'],
  },
  {
    name: 'evicted entry',
    async make(world) {
      await world.ok('builder', 'prune', '--all', '--force');
      return ['--build-arg', 'VERSION=2.0'];
    },
    cause: { kind: 'evicted', text: /^its result was removed from the cache$/, at: /^WORKDIR \/app$/ },
    executed: ['WORKDIR /app', 'COPY package', 'RUN --mount=type=cache', 'COPY scripts', 'RUN sh scripts', 'COPY src src', 'RUN cat src', 'RUN echo "', "RUN echo 'app", 'WORKDIR /srv', 'COPY --from=build', 'RUN test -s'],
  },
];
