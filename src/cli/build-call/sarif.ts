/** What checks found as SARIF 2.1.0, which code-scanning tools read. */
import { messageOf } from '../../base/errors.ts';
import { version } from '../../base/version.ts';
import type { CheckResult } from '../../build/call/check.ts';
import { pageOf, rules } from '../../dockerfile/checks/rules.ts';
import { DockerfileError } from '../../dockerfile/errors.ts';
import type { Lines } from '../../dockerfile/instruction.ts';

export function sarif({ warnings, source, path, error }: CheckResult): object {
  const uri = encodeURI((path ?? source.name).replaceAll('\\', '/'));
  const place = (lines?: Lines): object => ({
    physicalLocation: { artifactLocation: { uri }, ...(lines ? { region: { startLine: lines.start, endLine: lines.end } } : {}) },
  });
  const failure = error && {
    level: 'error',
    message: { text: messageOf(error).split('\n\n', 1)[0]! },
    locations: [place(error instanceof DockerfileError ? error.lines : undefined)],
  };
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'siru',
            version: version(),
            rules: rules.map((rule) => ({
              id: rule.name,
              name: rule.name,
              shortDescription: { text: rule.description },
              help: { text: `See ${pageOf(rule)}` },
              defaultConfiguration: { enabled: !rule.experimental, level: 'warning' },
            })),
          },
        },
        invocations: [{ executionSuccessful: error === undefined, ...(failure ? { toolExecutionNotifications: [failure] } : {}) }],
        artifacts: [{ location: { uri }, sourceLanguage: 'dockerfile' }],
        results: warnings.map(({ rule, text, lines }) => ({
          ruleId: rule.name,
          ruleIndex: rules.indexOf(rule),
          level: 'warning',
          message: { text },
          locations: [place(lines)],
        })),
      },
    ],
  };
}
