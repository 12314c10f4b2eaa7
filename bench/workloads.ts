/** What is built: each workload makes its context once and knows how one file of it changes. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `times` the best peer of the same run, or seconds. */
export type Goal = { times: number } | { seconds: number };

export interface Workload {
  name: string;
  /** Needs the Debian base. */
  debian?: boolean;
  goals: { cold?: Goal; unchanged?: Goal; changed?: Goal };
  /** Most memory in MiB. */
  memory?: number;
  /** Only Siru's memory is of interest. */
  alone?: boolean;
  make(folder: string): void;
  /** Changes one file. */
  change?(folder: string, round: number): void;
}

/** Bytes that do not compress and depend on the seed alone. */
export function noise(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let at = 0; at + 4 <= size; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeUInt32LE(state >>> 0, at);
  }
  return bytes;
}

const dockerfile = (folder: string, ...lines: string[]): void => writeFileSync(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);

export const workloads: Workload[] = [
  {
    name: '20 tiny RUN steps',
    goals: { cold: { times: 0.5 }, unchanged: { seconds: 0.06 } },
    make: (folder) => dockerfile(folder, 'FROM bench-base:1', ...Array.from({ length: 20 }, (_, index) => `RUN echo ${index} > /f${index}`)),
  },
  {
    name: 'COPY of 20,000 small files, then one RUN',
    goals: { cold: { times: 0.2 }, unchanged: { times: 0.3 }, changed: { times: 0.1 } },
    make(folder) {
      smallFiles(folder, 200);
      dockerfile(folder, 'FROM bench-base:1', 'COPY src /src', 'RUN ls /src > /list');
    },
    change: (folder, round) => writeFileSync(join(folder, 'src/d7/f7.js'), `changed ${round} ${Date.now()}\n`),
  },
  {
    name: 'COPY of 1 GiB in 4 files',
    goals: { cold: { times: 0.4 }, unchanged: { times: 0.3 } },
    memory: 150,
    make(folder) {
      for (let index = 0; index < 4; index++) {
        const block = noise(1 << 20, index);
        writeFileSync(join(folder, `f${index}`), '');
        for (let part = 0; part < 256; part++) {
          block.writeUInt32LE(part, 0);
          writeFileSync(join(folder, `f${index}`), block, { flag: 'a' });
        }
      }
      dockerfile(folder, 'FROM bench-base:1', 'COPY f0 f1 f2 f3 /data/');
    },
  },
  {
    name: '4 independent stages of 1 s',
    goals: { cold: { seconds: 1.15 }, unchanged: { seconds: 0.06 } },
    make(folder) {
      const stages = ['a', 'b', 'c', 'd'];
      dockerfile(
        folder,
        ...stages.flatMap((name) => [`FROM bench-base:1 AS ${name}`, `RUN sleep 1 && echo ${name} > /${name}`]),
        'FROM bench-base:1',
        ...stages.map((name) => `COPY --from=${name} /${name} /${name}`),
      );
    },
  },
  {
    name: 'two stages on Debian with 500 source files',
    debian: true,
    goals: { cold: { times: 0.6 }, unchanged: { times: 0.3 } },
    make(folder) {
      for (let d = 0; d < 25; d++) {
        mkdirSync(join(folder, `src/d${d}`), { recursive: true });
        for (let f = 0; f < 20; f++) writeFileSync(join(folder, `src/d${d}/f${f}.c`), `int f${d}_${f}(void) { return ${d * f}; }\n`.repeat(20));
      }
      dockerfile(
        folder,
        'FROM bench-debian:1 AS builder',
        'WORKDIR /build',
        'COPY src ./src',
        'RUN find src -name "*.c" | sort | xargs cat > all.c && sha256sum all.c > all.sum',
        'RUN mkdir -p out && cp all.c all.sum out/',
        'FROM bench-debian:1',
        'COPY --from=builder /build/out /app',
        'RUN cat /app/all.sum > /ready',
        'CMD ["cat", "/ready"]',
      );
    },
    change: (folder, round) => writeFileSync(join(folder, 'src/d3/f3.c'), `int changed(void) { return ${round}; }\n`),
  },
  {
    name: 'COPY of 100,000 small files',
    goals: {},
    memory: 300,
    alone: true,
    make(folder) {
      smallFiles(folder, 1000);
      dockerfile(folder, 'FROM bench-base:1', 'COPY src /src', 'RUN ls /src > /list');
    },
  },
];

/** A hundred files per directory, 500 to 4,400 bytes each. */
function smallFiles(folder: string, directories: number): void {
  for (let d = 0; d < directories; d++) {
    mkdirSync(join(folder, `src/d${d}`), { recursive: true });
    for (let f = 0; f < 100; f++) writeFileSync(join(folder, `src/d${d}/f${f}.js`), noise(500 + ((d * f) % 40) * 100, d * 100 + f));
  }
}

/** 170 MB in four layers, of which half the bits are noise: they compress as programs and libraries do. */
export function makeTransferImage(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < 4; index++) writeFileSync(join(folder, `f${index}`), noise(21_250_000, 100 + index).toString('hex'), 'latin1');
  dockerfile(folder, 'FROM bench-base:1', ...[0, 1, 2, 3].map((index) => `COPY f${index} /data/`));
}

export function makeWorkload(workload: Workload, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  workload.make(folder);
}
