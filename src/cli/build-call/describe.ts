/** Answers to `--call subrequests.describe`: which calls there are. */
import { table } from './table.ts';

interface Request {
  name: string;
  description: string;
  opts: { name: string; description: string }[];
}

const requests: Request[] = [
  { name: 'frontend.outline', description: 'What the build of a target may be given', opts: [{ name: 'target', description: 'Stage to build' }] },
  { name: 'frontend.targets', description: 'The stages that can be built', opts: [] },
  { name: 'frontend.lint', description: 'What checks find in the Dockerfile', opts: [] },
  { name: 'frontend.subrequests.describe', description: 'The calls that there are', opts: [] },
];
const version = '1.0.0';

export function describeText(): string {
  return table(['NAME', 'VERSION', 'DESCRIPTION'], requests.map(({ name, description }) => [name.replace('frontend.', ''), version, description]), 1);
}

export function describeJson(): object {
  return requests.map(({ name, description, opts }) => ({
    name,
    version,
    type: 'rpc',
    description,
    opts,
    inputs: null,
    metadata: ['result.json', 'result.txt'].map((result) => ({ name: result, description: '' })),
    refs: null,
  }));
}
