/**
 * The secret guard of a build: knows the values that must not get out, masks them in what is shown and kept of the build, and
 * judges where they were found.
 *
 *     const guard = createGuard(options, warn)
 *     guard.variable('API_TOKEN', value)                 // as ARG and ENV are met
 *     const lookout = guard.lookout(line)                // undefined when there is nothing to look for
 *     ... watchLayer(sink, lookout.needles) ...
 *     lookout.judge(watch.finds(toc))                    // throws SECRET
 *
 * The value of a secret fails the build wherever it would be kept. That of a build argument or an ENV whose name sounds
 * secret is a warning, because other builders take it: docs/secrets.md.
 */
import { readFileSync, statSync } from 'node:fs';
import { isSiruError, SiruError } from '../../base/errors.ts';
import type { Event } from '../../base/events.ts';
import { compileNeedles, type Needles } from '../../base/search.ts';
import { isSensitiveName } from '../../dockerfile/checks/secrets-used-in-arg-or-env.ts';
import type { LayerFind } from '../../layer/watch-layer.ts';
import type { BuildOptions } from '../options.ts';
import { maxSecretSize } from '../secret.ts';
import { createMaskedOutput, maskIn, type MaskedOutput, type OnOutput } from './mask-text.ts';
import { needlesOf } from './needles-of.ts';

export interface Subject {
  kind: 'secret' | 'argument';
  /** ID of a secret, name of a variable. */
  name: string;
  needles: Uint8Array[];
}

/** A find as people are told of it. What it says may hold the value; it is masked when it is told. */
export interface Find {
  subject: Subject;
  place: string;
}

export interface Lookout {
  needles: Needles;
  /** Whom each needle is of. */
  subjects: readonly Subject[];
  /** Throws SECRET, or warns of each that may stay. */
  judge(finds: readonly LayerFind[]): void;
  /** What was judged and may stay. */
  readonly judged: readonly LayerFind[];
}

export interface Guard {
  /** Takes note of a variable that the Dockerfile or a build argument sets; of those whose name sounds secret. */
  variable(name: string, value: string): void;
  /** For a step of this line; undefined when nothing is looked for. */
  lookout(line?: number): Lookout | undefined;
  /** Masks what a process writes; undefined when there is nothing to mask. */
  output(onOutput: OnOutput): GuardedOutput | undefined;
  mask(text: string): string;
  maskEvent(event: Event): Event;
  /** The same plain data without secrets in its texts. */
  maskAll<T>(value: T): T;
  /** The same error without secrets in its message. */
  maskError<T>(error: T): T;
  /** Throws SECRET for the finds of secrets, and warns of the others. */
  judge(finds: readonly Find[], line?: number): void;
}

export interface GuardedOutput extends MaskedOutput {
  /** Warns of secrets that the process wrote, though they were masked. Throws SECRET when the guard is strict. */
  judge(line?: number): void;
}

type Warn = (warning: { text: string; line?: number; hint: string; page: string }) => void;
export type GuardOptions = Pick<BuildOptions, 'secrets' | 'buildArgs' | 'secretGuard' | 'allowedSecrets'>;

const page = 'docs/secrets.md';

interface Compiled {
  needles: Needles;
  subjects: Subject[];
}

export function createGuard(options: GuardOptions, warn: Warn): Guard {
  const { secretGuard: mode = 'on' } = options;
  const allowed = new Set(options.allowedSecrets ?? []);
  const told = new Set<string>();
  /** By kind, name and value. */
  let subjects: Map<string, Subject> | undefined;
  let masks: Compiled | undefined;
  let searched: Compiled | undefined;

  const add = (kind: Subject['kind'], name: string, value: Uint8Array): void => {
    const key = `${kind} ${name} ${Buffer.from(value).toString('latin1')}`;
    if (subjects!.has(key)) return;
    const needles = needlesOf(value);
    if (needles.length === 0) return;
    subjects!.set(key, { kind, name, needles });
    masks = searched = undefined;
  };
  const variable = (name: string, value: string): void => {
    if (isSensitiveName(name) && !isPath(value)) add('argument', name, Buffer.from(value));
  };
  const ready = (): boolean => {
    if (!subjects) {
      subjects = new Map();
      for (const secret of options.secrets ?? []) add('secret', secret.id, valueOf(secret));
      for (const [name, value] of Object.entries(options.buildArgs ?? {})) variable(name, value);
    }
    return subjects.size > 0;
  };
  const masking = (): Compiled | undefined => (ready() ? (masks ??= compile([...subjects!.values()])) : undefined);
  const searching = (): Compiled | undefined => {
    if (!ready() || mode === 'off') return undefined;
    searched ??= compile([...subjects!.values()].filter(({ name }) => !allowed.has(name)));
    return searched.subjects.length > 0 ? searched : undefined;
  };
  const mask = (text: string): string => {
    const known = masking();
    return known ? maskIn(known.needles, text) : text;
  };
  const fails = ({ kind }: Subject): boolean => kind === 'secret' || mode === 'strict';

  function judge(finds: readonly Find[], line?: number): void {
    const bad = new Set(finds.filter(({ subject }) => fails(subject)).map((find) => mask(describe(find))));
    if (bad.size > 0) {
      const name = finds.find(({ subject }) => fails(subject))!.subject.name;
      throw new SiruError('SECRET', listed([...bad]), { hint: `Mount it in the RUN that needs it and leave nothing of it behind. If it may stay: --allow-secret ${name}` });
    }
    for (const find of grouped(finds)) tell(mask(describe(find)), line, `Give it with --secret and mount it: RUN --mount=type=secret. If it may stay: --allow-secret ${find.subject.name}`);
  }
  function tell(text: string, line: number | undefined, hint: string): void {
    if (told.has(text)) return;
    told.add(text);
    warn({ text, ...(line === undefined ? {} : { line }), hint, page });
  }

  return {
    variable(name, value) {
      ready();
      variable(name, value);
    },
    mask,
    maskEvent(event) {
      // What a process writes was masked on its way.
      if (event.type === 'step-log' || !masking()) return event;
      return maskStrings(event, mask) as Event;
    },
    maskAll: (value) => (masking() ? (maskStrings(value, mask) as typeof value) : value),
    maskError(error) {
      if (!isSiruError(error)) return error;
      error.message = mask(error.message);
      return error;
    },
    judge,
    lookout(line) {
      const found = searching();
      if (!found) return undefined;
      const { needles, subjects: whose } = found;
      const judged: LayerFind[] = [];
      return {
        needles,
        subjects: whose,
        judged,
        judge(finds) {
          judge(finds.map(({ needle, path, part }) => ({ subject: whose[needle]!, place: `${parts[part]}/${path}` })), line);
          judged.push(...finds);
        },
      };
    },
    output(onOutput) {
      const known = masking();
      if (!known) return undefined;
      const output = createMaskedOutput(known.needles, onOutput);
      return {
        ...output,
        judge(line) {
          if (mode === 'off') return;
          const first = new Map<Subject, Find>();
          for (const [needle, at] of output.found) {
            const subject = known.subjects[needle]!;
            if (!allowed.has(subject.name) && !first.has(subject)) first.set(subject, { subject, place: `what the step wrote, line ${at} of its log, where it is masked` });
          }
          if (mode === 'strict') judge([...first.values()], line);
          for (const find of first.values()) tell(describe(find), line, 'Change the command that shows it, such as set -x or env.');
        },
      };
    },
  };
}

const parts: Record<LayerFind['part'], string> = { content: '', name: 'the name of ', link: 'the target of the link ', attribute: 'the attributes of ' };

function describe({ subject, place }: Find): string {
  return `the value of ${subject.kind === 'secret' ? 'the secret' : 'the variable'} ${subject.name} is in ${place}`;
}

/** One for each value: where it is first, and how often it is elsewhere. */
function grouped(finds: readonly Find[]): Find[] {
  const groups = new Map<Subject, Find[]>();
  for (const find of finds) groups.set(find.subject, [...(groups.get(find.subject) ?? []), find]);
  return [...groups.values()].map(([first, ...rest]) => ({ subject: first!.subject, place: `${first!.place}${rest.length === 0 ? '' : rest.length === 1 ? ', and in one other place' : `, and in ${rest.length} other places`}` }));
}

/** Longest list in one message. */
const mostTold = 10;

function listed(texts: string[]): string {
  const rest = texts.length - mostTold;
  return rest > 0 ? `${texts.slice(0, mostTold).join('\n')}\nand in ${rest} other places` : texts.join('\n');
}

function compile(subjects: readonly Subject[]): Compiled {
  // A value that is a secret and an argument too is a secret.
  const owners = new Map<string, { bytes: Uint8Array; subject: Subject }>();
  for (const subject of [...subjects].sort((a, b) => Number(a.kind === 'argument') - Number(b.kind === 'argument'))) {
    for (const bytes of subject.needles) {
      const key = Buffer.from(bytes).toString('latin1');
      if (!owners.has(key)) owners.set(key, { bytes, subject });
    }
  }
  const all = [...owners.values()];
  return { needles: compileNeedles(all.map(({ bytes }) => bytes)), subjects: all.map(({ subject }) => subject) };
}

/** What cannot be read is told by the step that asks for it; here it is nothing. */
function valueOf(secret: NonNullable<BuildOptions['secrets']>[number]): Uint8Array {
  if ('value' in secret) return typeof secret.value === 'string' ? Buffer.from(secret.value) : secret.value;
  if ('env' in secret) return Buffer.from(process.env[secret.env] ?? '');
  try {
    const stat = statSync(secret.file);
    return stat.isFile() && stat.size <= maxSecretSize ? readFileSync(secret.file) : new Uint8Array();
  } catch {
    return new Uint8Array();
  }
}

/** `KEY_DIR=/etc/keys` says where a secret is, not what it is. */
function isPath(value: string): boolean {
  return /^(?:\.{0,2}|~)\/[\w./-]*$/.test(value);
}

function maskStrings(value: unknown, mask: (text: string) => string): unknown {
  if (typeof value === 'string') return mask(value);
  if (Array.isArray(value)) return value.map((member) => maskStrings(member, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, maskStrings(member, mask)]));
}
