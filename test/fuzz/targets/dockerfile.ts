/** Text of a Dockerfile to its tree and to what the checks find. */
import { isSiruError } from '../../../src/base/errors.ts';
import { checkDockerfile } from '../../../src/dockerfile/checks/check-dockerfile.ts';
import { checkStage } from '../../../src/dockerfile/checks/check-stage.ts';
import { createFilter, createPlaces } from '../../../src/dockerfile/checks/filter.ts';
import { checkOptionsFor } from '../../../src/dockerfile/checks/options.ts';
import { detectSyntax } from '../../../src/dockerfile/directives.ts';
import { DockerfileError } from '../../../src/dockerfile/errors.ts';
import type { Lines } from '../../../src/dockerfile/instruction.ts';
import { parseDockerfile } from '../../../src/dockerfile/parse.ts';
import { dictionary, generateDockerfile } from '../grammar.ts';
import { answerOf, broken, ending, type Target } from '../target.ts';
import { textOf, vectorSeeds } from '../vectors.ts';

export const dockerfile: Target = {
  name: 'dockerfile',
  share: 160,
  largest: 1 << 17,
  dictionary,
  seeds: () => dockerfileSeeds(),
  generate: (random) => Buffer.from(generateDockerfile(random)),
  run(input) {
    const text = Buffer.from(input).toString('utf8');
    const count = text.split('\n').length;
    detectSyntax(text);
    const tree = answerOf(() => parseDockerfile(input));
    if (isSiruError(tree)) {
      if (tree instanceof DockerfileError && tree.lines) checkLines(tree.lines, count);
      return ending(tree);
    }
    for (const stage of tree.stages) {
      let before = stage.from.lines;
      checkLines(before, count);
      for (const { lines, source } of stage.instructions) {
        checkLines(lines, count);
        if (lines.start <= before.end) broken(`line ${lines.start} belongs to two instructions`);
        if (source.includes('\n')) broken(`a source of two lines: ${source}`);
        before = lines;
      }
    }
    const findings = answerOf(() => {
      const wanted = createFilter(tree, checkOptionsFor(tree));
      const places = createPlaces(tree);
      const found = [...checkDockerfile(tree), ...tree.stages.flatMap(({ instructions }) => checkStage(instructions, { choosesShell: false }))];
      for (const finding of found) checkLines(places(finding)!, count);
      return found.filter(wanted);
    });
    return isSiruError(findings) ? ending(findings) : findings.map(({ rule }) => rule).sort().join();
  },
};

function checkLines({ start, end }: Lines, count: number): void {
  if (start < 1 || end < start || end > count) broken(`lines ${start} to ${end} of ${count}`);
}

export function dockerfileSeeds(): Uint8Array[] {
  return [
    ...['buildkit-parser.json', 'buildkit-directives.json', 'buildkit-heredoc.json', 'buildkit-json-form.json', 'buildkit-instruction-errors.json', 'buildkit-instruction-heredoc.json'].flatMap((name) => vectorSeeds(name, textOf)),
    Buffer.from('# escape=`\nARG A=1\nFROM scratch AS base\nENV B=$A\nCOPY --from=base a* /x/\nRUN <<E cat\nhello $A\nE\nCMD ["x"]\n'),
    Buffer.from('FROM a\nONBUILD RUN --mount=type=cache,target=/x echo "a \\\n # c\n\n b"\nHEALTHCHECK --interval=5s CMD true\n'),
  ];
}
