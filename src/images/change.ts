/** Instructions that change an image's configuration without a build: `--change` of import and commit. */
import { SiruError } from '../base/errors.ts';
import { expandWord, expandWords } from '../dockerfile/expand.ts';
import type { CommandLine, Instruction } from '../dockerfile/instruction.ts';
import { parseDockerfile } from '../dockerfile/parse.ts';
import type { ContainerConfig } from '../oci/image-config.ts';

const allowed = 'CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR';

/** The configuration with the instructions carried out in order. Throws DOCKERFILE, USAGE for one that needs a build. */
export function applyChanges(config: ContainerConfig, changes: readonly string[]): ContainerConfig {
  let result = config;
  for (const change of changes) {
    // A line of its own, so that no change can begin another stage.
    const [stage, ...more] = parseDockerfile(`FROM scratch\n${change}\n`, '--change').stages;
    if (more.length > 0) throw notAllowed('FROM');
    for (const instruction of stage!.instructions) result = applyChange(result, instruction);
  }
  return result;
}

function applyChange(config: ContainerConfig, instruction: Instruction): ContainerConfig {
  const environment = new Map((config.Env ?? []).map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
  const lookUp = (name: string): string | undefined => environment.get(name);
  const word = (text: string): string => expandWord(text, lookUp).result;
  const command = (line: CommandLine): string[] => (line.form === 'exec' ? line.args : [...(config.Shell ?? ['/bin/sh', '-c']), line.text]);
  switch (instruction.kind) {
    case 'cmd':
      return { ...config, Cmd: command(instruction.command) };
    case 'entrypoint':
      return { ...config, Entrypoint: command(instruction.command) };
    case 'env': {
      const pairs = instruction.pairs.map(({ key, value }) => [word(key), word(value)] as const);
      for (const [key, value] of pairs) environment.set(key, value);
      return { ...config, Env: [...environment].map(([key, value]) => `${key}=${value}`) };
    }
    case 'label':
      return { ...config, Labels: { ...config.Labels, ...Object.fromEntries(instruction.pairs.map(({ key, value }) => [word(key), word(value)])) } };
    case 'expose':
      return { ...config, ExposedPorts: { ...config.ExposedPorts, ...Object.fromEntries(instruction.ports.flatMap((port) => expandWords(port, lookUp)).flatMap(portsOf).map((port) => [port, {}])) } };
    case 'volume':
      return { ...config, Volumes: { ...config.Volumes, ...Object.fromEntries(instruction.volumes.map((volume) => [word(volume), {}])) } };
    case 'user':
      return { ...config, User: word(instruction.user) };
    case 'workdir': {
      const path = word(instruction.path);
      return { ...config, WorkingDir: joined(config.WorkingDir ?? '/', path) };
    }
    case 'stopsignal':
      return { ...config, StopSignal: word(instruction.signal) };
    case 'shell':
      return { ...config, Shell: instruction.args };
    case 'onbuild':
      return { ...config, OnBuild: [...(config.OnBuild ?? []), instruction.expression] };
    case 'healthcheck': {
      const { command: check, interval, timeout, startPeriod, startInterval, retries } = instruction;
      if (!check) return { ...config, Healthcheck: { Test: ['NONE'] } };
      const Test = check.form === 'exec' ? ['CMD', ...check.args] : ['CMD-SHELL', check.text];
      return { ...config, Healthcheck: { Test, Interval: interval, Timeout: timeout, StartPeriod: startPeriod, StartInterval: startInterval, Retries: retries } };
    }
    default:
      throw notAllowed(instruction.kind.toUpperCase());
  }
}

function notAllowed(name: string): SiruError {
  return new SiruError('USAGE', `${name} cannot be used as a change`, { hint: `${allowed} can` });
}

/** `80`, `80/udp`, `8000-8002`. */
function portsOf(text: string): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? first);
  if (!match || first > last || last > 65_535) throw new SiruError('DOCKERFILE', `EXPOSE: not a port: ${JSON.stringify(text)}`, { hint: 'write 80, 80/udp or 8000-8010' });
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${(match[3] ?? 'tcp').toLowerCase()}`);
}

function joined(from: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${from}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
