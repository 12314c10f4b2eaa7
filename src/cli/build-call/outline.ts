/** Answers to `--call outline`: BuildKit's tables and its JSON. */
import type { Outline, OutlineMount } from '../../build/call/outline.ts';
import { base64, locationOf } from './location.ts';
import { table } from './table.ts';

export function outlineText({ name, description, args, secrets, ssh, cache }: Outline): string {
  const told = (value: string | undefined): string => value ?? '';
  const required = (mounts: readonly OutlineMount[]): string[][] => mounts.map((mount) => [mount.name, mount.required ? 'true' : '']);
  const head = [
    ...(name === undefined && description === undefined ? [] : [['TARGET:', name ?? '(default)']]),
    ...(description === undefined ? [] : [['DESCRIPTION:', description]]),
  ];
  return [
    table(undefined, head, 1),
    table(['BUILD ARG', 'VALUE', 'DESCRIPTION'], args.map((arg) => [arg.name, told(arg.value), told(arg.description)]), 3),
    table(['SECRET', 'REQUIRED'], required(secrets), 3),
    table(['SSH', 'REQUIRED'], required(ssh), 3),
    table(['CACHE MOUNT'], cache.map((mount) => [mount.name]), 3),
  ].filter((text) => text !== '').map((text) => `${text}\n`).join('');
}

export function outlineJson({ name, description, args, secrets, ssh, cache, source }: Outline): object {
  const mounts = (of: readonly OutlineMount[]): object[] => of.map(({ name: id, required, lines }) => ({ name: id, ...(required ? { required } : {}), location: locationOf(lines) }));
  const some = (key: string, list: readonly object[]): object => (list.length === 0 ? {} : { [key]: list });
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...some('args', args.map(({ lines, ...arg }) => ({ ...arg, location: locationOf(lines) }))),
    ...some('secrets', mounts(secrets)),
    ...some('ssh', mounts(ssh)),
    ...some('cache', cache.map(({ name: id, lines }) => ({ ID: id, location: locationOf(lines) }))),
    sources: [base64(source.text)],
  };
}
