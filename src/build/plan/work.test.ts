/** Dockerfiles made to use up time or memory while they are planned. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSiruError } from '../../base/errors.ts';
import { maxPorts } from './expose.ts';
import { maxTriggers } from './stage-state.ts';
import { planFile } from './whole-file.suite.ts';
import { maxPlanWork } from './work.ts';

const lines = (count: number, line: (i: number) => string): string => Array.from({ length: count }, (_, i) => line(i)).join('');
const doubled = `ARG a=xx\n${lines(40, () => 'ARG a=$a$a\n')}`;

function refused(text: string, limit: number): void {
  assert.throws(() => planFile(text), (error: Error) => isSiruError(error) && error.code === 'DOCKERFILE' && error.message.includes(String(limit)));
}

test('an argument that doubles itself forty times is refused in a stage and before the first', () => {
  refused(`FROM scratch\n${doubled}`, maxPlanWork);
  assert.throws(() => planFile(`${doubled}FROM scratch\n`), /more than \d+ characters/);
});

test('a large value may be used, and not without end', () => {
  const twenty = `ARG a=x\n${lines(20, () => 'ARG a=$a$a\n')}`;
  assert.equal(planFile(`FROM scratch\n${twenty}LABEL a=$a\n`).state.config.Labels!.a!.length, 1 << 20);
  refused(`FROM scratch\n${twenty}${lines(200, (i) => `LABEL l${i}=$a\n`)}`, maxPlanWork);
  refused(`FROM scratch\n${twenty}${lines(200, () => 'COPY <<E /x\n$a\nE\n')}`, maxPlanWork);
  refused(`FROM scratch AS s0\n${twenty}${lines(200, (i) => `FROM s${i} AS s${i + 1}\nLABEL a=$a\n`)}`, maxPlanWork);
});

test('lists that are made again at every instruction are counted', () => {
  refused(`FROM scratch\n${lines(5000, (i) => `VOLUME /${i}\n`)}`, maxPlanWork);
  assert.equal(planFile(`FROM scratch\nLABEL ${lines(1000, (i) => `a${i}=b \\\n`)}\n`).history.length, 1);
});

test('all ports of all protocols may be exposed once, and no more in one instruction', () => {
  const all = ['tcp', 'udp', 'sctp'].map((protocol) => `1-65535/${protocol}`).join(' ');
  assert.equal(Object.keys(planFile(`FROM scratch\nEXPOSE ${all}\n`).state.config.ExposedPorts!).length, 3 * 65535);
  refused(`FROM scratch\nEXPOSE ${all} ${all}\n`, maxPorts);
});

test('a chain of as many stages as there may be is planned', () => {
  const { graph } = planFile(`FROM scratch AS s0\n${lines(998, (i) => `FROM s${i} AS s${i + 1}\n`)}FROM scratch\nCOPY --from=s998 / /\n`);
  assert.equal(graph.order.length, 1000);
});

test('a base with triggers without end is refused', () => {
  const images = { many: { OnBuild: Array.from({ length: maxTriggers + 1 }, () => 'RUN x') } };
  assert.throws(() => planFile('FROM many\n', { images }), new RegExp(`may leave ${maxTriggers}`));
});
