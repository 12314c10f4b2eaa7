/** The Dockerfiles of examples/dockerfiles, on stand-ins for their bases. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rawTar } from '../../support/tar.ts';
import type { Case, Difference, Files } from '../case.ts';

const home = join(import.meta.dirname, '../../../examples/dockerfiles');

/** Files of a folder; what may be executed stays so, other modes are those of every case. */
function filesOf(folder: string): Files {
  const names = readdirSync(join(home, folder), { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(names.flatMap((name): [string, Files[string]][] => {
    const stat = lstatSync(join(home, folder, name));
    if (stat.isDirectory()) return [];
    return [[name, { text: readFileSync(join(home, folder, name)), mode: (stat.mode & 0o111) === 0 ? 0o644 : 0o755 }]];
  }));
}

const example = (name: string, more: Partial<Case> = {}): Case => ({ name: name.replaceAll('/', '-'), files: filesOf(name), ...more });

const archive = (...members: { name: string; text: string }[]): Buffer => rawTar(members);

const healthcheck: { differs: Difference } = { differs: { section: 'Newer BuildKit', why: 'the text of the history was changed', shows: /^[-+] history \d+ = .*"HEALTHCHECK (?:&\{\[|\{Test:\[)/ } };

export const cases: Case[] = [
  example('node-npm'),
  example('node-monorepo/packages/web', { beside: filesOf('node-monorepo/packages/shared'), args: ['--build-context', 'shared={beside}'] }),
  example('python-venv', { args: ['--build-arg', 'PYTHON_VERSION=3.12'] }),
  example('go-static', { args: ['--build-arg', 'VERSION=1.2.3'] }),
  example('rust-deps'),
  example('java-layers', healthcheck),
  example('nginx-static', healthcheck),
  example('heredocs', { args: ['--build-arg', 'PORT=9000'] }),
  example('onbuild', { args: ['--build-arg', 'MODE=test'] }),
  example('distroless'),
  example('init-scripts', healthcheck),
  example('multi-platform', { args: ['--platform', 'linux/amd64'] }),
  { ...example('multi-platform', { args: ['--platform', 'linux/arm64'] }), name: 'multi-platform-arm64' },
  example('php-composer'),
  example('ruby-bundler'),
  example('dotnet-publish'),
  example('postgres-extension', {
    files: {
      ...filesOf('postgres-extension'),
      'extension.tar.gz': archive({ name: 'extension/greeting.control', text: 'default_version = 1.0\n' }, { name: 'extension/greeting--1.0.sql', text: 'SELECT 1;\n' }),
      'sql.tar': archive({ name: '10-tables.sql', text: 'CREATE TABLE item ();\n' }, { name: '20-data.sql', text: 'INSERT INTO item DEFAULT VALUES;\n' }),
    },
  }),
  example('c-make'),
  { ...example('c-make', { args: ['--target', 'test'] }), name: 'c-make-test' },
  example('secrets', { args: ['--secret', 'id=npmrc,src={context}/npmrc', '--secret', 'id=token,env=TOKEN'], env: { TOKEN: 'not told' } }),
  example('debian-apt', { args: ['--build-arg', 'PACKAGES=curl git'] }),
  example('cron-alpine', { args: ['--build-arg', 'VERSION=3.0', '--label', 'org.opencontainers.image.revision=abc'] }),
  example('targets'),
  { ...example('targets', { args: ['--target', 'reports'] }), name: 'targets-reports' },
];
