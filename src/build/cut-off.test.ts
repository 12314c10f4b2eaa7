/** Early cut-off: what stands on a step that was executed with an equal result is not executed, in its stage and in others. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Event } from '../base/events.ts';
import { busyboxMissing, makeBusyboxImage } from '../images/testing/make-image.ts';
import { temporaryStore } from '../images/testing/temporary-store.ts';
import { readImage } from '../images/read.ts';
import { build } from './build.ts';
import { explainBuild } from './history/explain-build.ts';
import { openHistory } from './history/open-history.ts';

const cannotRun = process.platform !== 'linux' ? 'RUN needs Linux' : process.getuid?.() === 0 ? busyboxMissing() : 'this test runs its steps as root';

const dockerfileText = `FROM base:1 AS tools
COPY version /version
RUN wc -c < /version > /length
RUN echo tool > /tool
FROM tools AS app
RUN cat /tool > /app
FROM base:1
COPY --from=app /app /app
COPY --from=tools /length /length
RUN cat /app
`;

test('a step that is executed with an equal result keeps its layer, and steps below it and in other stages stay cached', { skip: cannotRun }, async (t) => {
  const temporary = await temporaryStore();
  t.after(() => temporary[Symbol.asyncDispose]());
  const { store, folder } = temporary;
  makeBusyboxImage(store, 'base:1');
  const context = join(folder, 'context');
  mkdirSync(context);
  const built = async (version: string): Promise<{ statuses: Record<string, string>; layers: string[]; diffIds: Map<string, string> }> => {
    writeFileSync(join(context, 'version'), version);
    const done: Extract<Event, { type: 'step-done' }>[] = [];
    const { digest } = await build({ store, context, dockerfileText, onEvent: (event) => event.type === 'step-done' && done.push(event) });
    return {
      statuses: Object.fromEntries(done.map(({ step, status }) => [`${step.stage} ${step.text}`, status])),
      layers: readImage(store, digest).config.rootfs.diff_ids,
      diffIds: new Map(done.map(({ step, diffId }) => [step.text, diffId ?? ''])),
    };
  };
  const first = await built('1.0');
  const second = await built('2.0');
  // The COPY is another one, so the RUN on it is executed and writes the length that it wrote before, over another COPY.
  assert.notEqual(second.diffIds.get('COPY version /version'), first.diffIds.get('COPY version /version'));
  assert.equal(second.statuses['stage-2 COPY --from=tools /length /length'], 'cached');
  assert.equal(second.statuses['stage-2 COPY --from=app /app /app'], 'cached');
  assert.equal(second.statuses['stage-2 RUN cat /app'], 'cached');
  assert.deepEqual(second.layers, first.layers);
});

test('within a stage: a command that changed and does what it did before', { skip: cannotRun }, async (t) => {
  const temporary = await temporaryStore();
  t.after(() => temporary[Symbol.asyncDispose]());
  const { store } = temporary;
  makeBusyboxImage(store, 'base:1');
  const context = join(temporary.folder, 'context');
  mkdirSync(context);
  const text = (command: string): string => `FROM base:1 AS one\nRUN ${command}\nRUN cp /a /b\nFROM one AS two\nRUN cp /b /c\nFROM base:1\nCOPY --from=two /c /c\nRUN cat /c\n`;
  const built = async (command: string): Promise<{ statuses: string[]; layers: string[] }> => {
    const statuses: string[] = [];
    const { digest } = await build({ store, context, dockerfileText: text(command), onEvent: (event) => event.type === 'step-done' && !event.step.text.startsWith('FROM ') && statuses.push(`${event.step.text}: ${event.status}`) });
    return { statuses: statuses.sort(), layers: readImage(store, digest).config.rootfs.diff_ids };
  };
  const first = await built('echo text > /a');
  const second = await built('printf "text\\n" > /a');
  assert.deepEqual(second.statuses, ['COPY --from=two /c /c: cached', 'RUN cat /c: cached', 'RUN cp /a /b: cached', 'RUN cp /b /c: cached', 'RUN printf "text\\n" > /a: same']);
  assert.deepEqual(second.layers, first.layers);
  const entry = store.builds.list({ limit: 1 })[0]!;
  const { causes, steps } = explainBuild(entry, openHistory(store, entry));
  assert.deepEqual(causes.map(({ kind, cost }) => [kind, cost.steps.length]), [['instruction', 1]]);
  assert.deepEqual(steps.filter(({ status }) => status === 'same').map(({ why }) => why), ['the instruction changed']);
});
