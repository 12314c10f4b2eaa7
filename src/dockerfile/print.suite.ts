/** For tests: a tree of a Dockerfile as text. What it writes parses to the tree again, but for lines, sources and comments. */
import type { CommandLine, Dockerfile, Heredoc, Instruction, KeyValue } from './instruction.ts';

export function printDockerfile({ globalArgs, stages, escape }: Pick<Dockerfile, 'globalArgs' | 'stages' | 'escape'>): string {
  const instructions: Instruction[] = [...globalArgs, ...stages.flatMap((stage) => [{ ...stage.from, name: stage.name }, ...stage.instructions])];
  return `# escape=${escape}\n${instructions.map((instruction) => `${printInstruction(instruction)}\n`).join('')}`;
}

export function printInstruction(instruction: Instruction): string {
  const words = (...parts: (string | undefined)[]): string => [instruction.kind.toUpperCase(), ...parts.filter((part) => part !== undefined)].join(' ');
  switch (instruction.kind) {
    case 'from': return words(flag('platform', instruction.platform), instruction.image, instruction.name && `AS ${instruction.name}`);
    case 'arg': return words(...instruction.args.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`)));
    case 'env': case 'label': return words(...instruction.pairs.map(printPair));
    case 'maintainer': return words(guard(instruction.author));
    case 'workdir': return words(guard(instruction.path));
    case 'user': return words(guard(instruction.user));
    case 'stopsignal': return words(guard(instruction.signal));
    case 'expose': return words(...instruction.ports);
    case 'volume': return words(JSON.stringify(instruction.volumes));
    case 'shell': return words(JSON.stringify(instruction.args));
    case 'cmd': case 'entrypoint': return words(printCommand(instruction.command));
    case 'run': {
      const { mounts, network, security, devices } = instruction;
      return words(...mounts.map((mount) => flag('mount', mount.map(({ key, value }) => csvField(value === undefined ? key : `${key}=${value}`)).join(','))), flag('network', network), flag('security', security), ...devices.map((device) => flag('device', device)), printCommand(instruction.command));
    }
    case 'healthcheck': {
      const { command, interval, timeout, startPeriod, startInterval, retries } = instruction;
      if (!command) return words('NONE');
      const time = (name: string, value: number | undefined): string | undefined => flag(name, value === undefined ? undefined : `${value}ns`);
      return words(time('interval', interval), time('timeout', timeout), time('start-period', startPeriod), time('start-interval', startInterval), flag('retries', retries === undefined ? undefined : String(retries)), 'CMD', printCommand(command, false));
    }
    case 'copy': case 'add': {
      const { sources, heredocs, destination, chown, chmod, link, exclude } = instruction;
      const own = instruction.kind === 'copy'
        ? [flag('from', instruction.from), instruction.parents ? '--parents' : undefined]
        : [flag('checksum', instruction.checksum), toggle('keep-git-dir', instruction.keepGitDir), toggle('unpack', instruction.unpack)];
      const files = heredocs.length > 0 ? [...sources, ...heredocs.map(heredocWord), destination] : [JSON.stringify([...sources, destination])];
      return words(...own, flag('chown', chown), flag('chmod', chmod), link ? '--link' : undefined, ...exclude.map((pattern) => flag('exclude', pattern)), ...files) + bodies(heredocs);
    }
    case 'onbuild': return words(instruction.instruction ? printInstruction(instruction.instruction) : instruction.expression);
  }
}

function printPair({ key, value, legacy }: KeyValue): string {
  return legacy ? `${key} ${value}` : `${key}=${value}`;
}

/** `flags`: the instruction may have some, so that a command that begins like one needs the end of flags said. */
function printCommand(command: CommandLine, flags = true): string {
  if (command.form === 'exec') return JSON.stringify(command.args);
  return `${flags ? guard(command.text) : command.text}${bodies(command.heredocs)}`;
}

function guard(text: string): string {
  return text.startsWith('--') ? `-- ${text}` : text;
}

/** A flag's word loses quotes and backslashes when it is read. */
function flag(name: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `--${name}=${value.replace(/[\\'"\s]/g, '\\$&')}`;
}

function toggle(name: string, value: boolean | undefined): string | undefined {
  return value === undefined ? undefined : `--${name}=${value}`;
}

function csvField(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function heredocWord({ fd, name, expand, chomp }: Heredoc): string {
  return `${fd === 0 ? '' : fd}<<${chomp ? '-' : ''}${expand ? name : `"${name}"`}`;
}

function bodies(heredocs: readonly Heredoc[]): string {
  return heredocs.map(({ name, content }) => `\n${content}${name}`).join('');
}
