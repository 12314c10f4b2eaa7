/**
 * `--chmod`: octal, or symbolic as BSD's setmode(3) reads it, which BuildKit uses: `=` takes the class's set-id bit away from
 * directories too, never the sticky bit, and `g=u` copies permissions and leaves set-id bits alone.
 */
import { SiruError } from '../../base/errors.ts';

/** Gives the new permission bits from the old. */
export type Chmod = (mode: number, isDirectory: boolean) => number;

/** One thing to do to a mode. */
type Action = (mode: number, before: number, isDirectory: boolean) => number;

const classes: Record<string, { shift: number; bits: number }> = {
  u: { shift: 6, bits: 0o4700 },
  g: { shift: 3, bits: 0o2070 },
  o: { shift: 0, bits: 0o0007 },
};
const permissions: Record<string, number> = { r: 0o444, w: 0o222, x: 0o111 };
const setId = 0o6000;
const sticky = 0o1000;
const allBits = 0o7777;
/** What `=` takes away where nobody is named. */
const allButSticky = 0o6777;

/** Throws CONTEXT when the text is neither octal up to 7777 nor symbolic. */
export function parseChmod(text: string): Chmod {
  const octal = octalMode(text);
  if (octal !== undefined) return () => octal;
  const actions = text.split(',').flatMap((clause) => {
    const match = /^([ugoa]*)((?:[-+=][ugorwxXst]*)+)$/.exec(clause);
    if (!match) throw wrong(text);
    const who = match[1]!.includes('a') ? 'ugo' : match[1]!;
    return [...match[2]!.matchAll(/([-+=])([ugorwxXst]*)/g)].flatMap(([, operator, what]) => actionsOf(who, operator!, what!));
  });
  return (before, isDirectory) => actions.reduce((mode, act) => act(mode, before, isDirectory), before);
}

/** The number of an octal mode; undefined for a symbolic one. Throws CONTEXT for a number that is no mode. */
export function octalMode(text: string): number | undefined {
  if (!/^[0-9]/.test(text)) return undefined;
  const mode = /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
  if (!(mode <= 0o7777)) throw wrong(text);
  return mode;
}

/** What an operator with the letters behind it does, in order. */
function actionsOf(who: string, operator: string, what: string): Action[] {
  const actions: Action[] = [];
  const named = who.split('');
  /** The bits that may change; 0 while nobody is named and all may. */
  let bits = named.reduce((all, name) => all | classes[name]!.bits, 0);
  // Of `o` alone the set-id and sticky bits mean nothing.
  const special = who === '' || /[ug]/.test(who);
  let set = 0;
  let execute = 0;
  let assigned = operator !== '=';
  const flush = (): void => {
    if (set === 0 && assigned) return;
    const [clear, value] = [bits || allButSticky, set & (bits || allBits)];
    if (operator === '=') actions.push((mode) => (mode & ~clear) | value);
    else actions.push(operator === '+' ? (mode) => mode | value : (mode) => mode & ~value);
    set = 0;
    assigned = true;
  };
  const flushExecute = (): void => {
    const value = execute & (bits || allBits);
    if (value !== 0) actions.push((mode, before, isDirectory) => (isDirectory || (before & 0o111) !== 0 ? mode | value : mode));
    execute = 0;
  };
  for (const letter of what) {
    if (letter in permissions) set |= permissions[letter]!;
    else if (letter === 'X') execute = 0o111;
    else if (letter === 's') set |= special ? setId : 0;
    else if (letter === 't') {
      if (!special) continue;
      bits |= sticky;
      set |= sticky;
    } else {
      if (set !== 0) flush();
      assigned = true;
      if (operator === '+') flushExecute();
      actions.push(copy(letter, operator, bits === 0 ? ['u', 'g', 'o'] : named));
    }
  }
  flush();
  flushExecute();
  return actions;
}

/** `g=u`: permissions of one class for others. */
function copy(from: string, operator: string, to: string[]): Action {
  const { shift } = classes[from]!;
  return (mode) => {
    const value = (mode >> shift) & 0o7;
    return to.reduce((so, name) => {
      const at = classes[name]!.shift;
      if (operator === '+') return so | (value << at);
      const rest = so & ~((operator === '=' ? 0o7 : value) << at);
      return operator === '=' ? rest | (value << at) : rest;
    }, mode);
  };
}

function wrong(text: string): SiruError {
  return new SiruError('CONTEXT', `--chmod=${text} is no mode`, { hint: 'Give an octal number up to 7777 (0755), or a symbolic mode (u=rwX,go=rX).' });
}
