/** `--chmod`: octal, or symbolic as chmod(1) takes it. */
import { SiruError } from '../../base/errors.ts';

/** Gives the new permission bits from the old. */
export type Chmod = (mode: number, isDirectory: boolean) => number;

const clauseForm = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/;

/** Throws CONTEXT when the text is neither octal up to 7777 nor symbolic. */
export function parseChmod(text: string): Chmod {
  if (/^[0-9]+$/.test(text)) {
    const mode = /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
    if (!(mode <= 0o7777)) throw wrong(text);
    return () => mode;
  }
  const clauses = text.split(',').map((clause) => {
    const match = clauseForm.exec(clause);
    if (!match) throw wrong(text);
    const who = match[1] === '' ? 'a' : match[1]!;
    const actions = [...match[2]!.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)].map(([, operator, what]) => ({ operator: operator!, what: what! }));
    return { who, actions };
  });
  return (mode, isDirectory) => {
    let bits = mode;
    for (const { who, actions } of clauses) {
      for (const { operator, what } of actions) bits = apply(bits, isDirectory, who, operator, what);
    }
    return bits;
  };
}

const shifts: Record<string, number> = { u: 6, g: 3, o: 0 };

function apply(mode: number, isDirectory: boolean, who: string, operator: string, what: string): number {
  const classes = who.includes('a') ? ['u', 'g', 'o'] : [...new Set(who)];
  let set = 0;
  let clear = 0;
  for (const name of classes) {
    const shift = shifts[name]!;
    clear |= 0o7 << shift;
    if (what in shifts) set |= ((mode >> shifts[what]!) & 0o7) << shift;
    else {
      if (what.includes('r')) set |= 0o4 << shift;
      if (what.includes('w')) set |= 0o2 << shift;
      if (what.includes('x') || (what.includes('X') && (isDirectory || (mode & 0o111) !== 0))) set |= 0o1 << shift;
    }
    if (what.includes('s')) set |= name === 'u' ? 0o4000 : name === 'g' ? 0o2000 : 0;
    // `=` takes away the class's own special bit, but not the set-id bits of a directory, as with GNU's chmod.
    if (name === 'o') clear |= 0o1000;
    else if (!isDirectory) clear |= name === 'u' ? 0o4000 : 0o2000;
  }
  if (what.includes('t') && (who.includes('a') || who.includes('o'))) set |= 0o1000;
  if (operator === '+') return mode | set;
  if (operator === '-') return mode & ~set;
  return (mode & ~clear) | set;
}

function wrong(text: string): SiruError {
  return new SiruError('CONTEXT', `--chmod=${text} is no mode`, { hint: 'Give an octal number up to 7777 (0755), or a symbolic mode (u=rwX,go=rX).' });
}
