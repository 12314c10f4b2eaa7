/** Planning of what may be any text: stages, arguments, and instruction after instruction, on bases with a hostile config. */
import { isSiruError } from '../../../src/base/errors.ts';
import { planFile } from '../../../src/build/plan/whole-file.suite.ts';
import { DockerfileError } from '../../../src/dockerfile/errors.ts';
import type { ContainerConfig } from '../../../src/oci/image-config.ts';
import { dictionary, generateDockerfile } from '../grammar.ts';
import { answerOf, broken, ending, type Target } from '../target.ts';
import { dockerfileSeeds } from './dockerfile.ts';

const base: ContainerConfig = {
  Env: ['A=from base', 'NOEQUALS', '=x', 'PATH=/bin', '__proto__=y'],
  OnBuild: ['RUN $A', 'COPY . .', 'ENV A=${B:-c}'],
  WorkingDir: 'w/../x',
  Labels: { a: 'b' },
  Shell: ['sh'],
};
const strange: ContainerConfig = { OnBuild: ['FROM x', 'nonsense', ''], WorkingDir: '\\', ExposedPorts: { x: {} }, Entrypoint: [], Cmd: [] };

export const plan: Target = {
  name: 'plan',
  share: 120,
  largest: 1 << 15,
  dictionary,
  seeds: dockerfileSeeds,
  generate: (random) => Buffer.from(generateDockerfile(random)),
  run(input) {
    const text = Buffer.from(input).toString('utf8');
    const images = { alpine: base, 'alpine:3.20': strange };
    const buildArgs: Record<string, string> = input.length % 3 === 0 ? { A: 'given $B', http_proxy: 'p' } : {};
    const planned = answerOf(() => planFile(text, { images, buildArgs, namedContexts: input.length % 5 === 0 ? ['ctx'] : [] }));
    if (isSiruError(planned)) {
      if (planned.code === 'DOCKERFILE' && !(planned instanceof DockerfileError)) broken(`an error without its place: ${planned.message}`);
      return ending(planned);
    }
    for (const { text: shown, history } of planned.advances) {
      if (shown.includes('\n') && !history) broken(`text of several lines: ${shown}`);
    }
    return [...new Set(planned.steps.map(({ kind }) => kind))].sort().join();
  },
};
