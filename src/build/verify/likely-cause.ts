/** Why two builds wrote other bytes into a file: a guess from its path and from what differs. Pure. */

export interface Cause {
  kind: 'time' | 'python' | 'archive' | 'random' | 'order' | 'locale' | 'number' | 'directory' | 'machine' | 'package list' | 'source' | 'unknown';
  /** `a time is written into it` */
  text: string;
  /** What to do, in a sentence. */
  advice?: string;
}

const clampAdvice = 'Write no time, or that of SOURCE_DATE_EPOCH, which every RUN has with --reproducible.';
const machineAdvice = (files: string): string => `Remove it at the end of the RUN (rm -f ${files}), or build with --reproducible, which leaves it out.`;

const knownPaths: readonly [path: RegExp, cause: Cause][] = [
  [/^var\/cache\/ldconfig\/aux-cache$/, { kind: 'machine', text: 'ldconfig notes inodes and times of the disk', advice: machineAdvice('/var/cache/ldconfig/aux-cache') }],
  [/^var\/cache\/apt\/(?:src)?pkgcache\.bin$/, { kind: 'machine', text: 'apt notes times of the disk in its cache', advice: machineAdvice('/var/cache/apt/*.bin') }],
  [/^var\/log\/(?:apt\/|dpkg\.log|alternatives\.log|dnf|yum\.log|hawkey\.log|apk\.log)/, { kind: 'time', text: 'a log of the package manager says when it ran', advice: machineAdvice('/var/log/...') }],
  [/^var\/lib\/(?:apt\/lists|apk\/.*APKINDEX)|^var\/cache\/(?:apk|dnf|yum)\//, { kind: 'package list', text: 'the list of packages of a server, which changes', advice: 'Remove it at the end of the RUN, and pin the versions or a snapshot of the repository.' }],
  [/^(?:etc|var\/lib\/dbus)\/machine-id$/, { kind: 'random', text: 'a random name of the machine', advice: 'Leave it empty (: > /etc/machine-id): it is made at the first start.' }],
  [/^etc\/ssh\/ssh_host_/, { kind: 'random', text: 'a random key of the host, the same for all who have the image', advice: 'Remove it, and make it at the first start.' }],
  [/^var\/lib\/rpm\/|^usr\/lib\/sysimage\/rpm\//, { kind: 'time', text: 'the database of packages says when each was installed' }],
  [/^var\/cache\/fontconfig\//, { kind: 'machine', text: 'fontconfig notes times of the disk', advice: 'Remove it at the end of the RUN (rm -rf /var/cache/fontconfig).' }],
  [/(?:^|\/)\.git\/index$/, { kind: 'machine', text: 'git notes inodes and times of the disk', advice: 'Leave .git out of the image.' }],
];

/** `at`: where they differ first. The bytes may be parts of larger files that begin at `from`. */
export interface Differing {
  path: string;
  before: Uint8Array;
  after: Uint8Array;
  from: number;
  /** Milliseconds since 1970 around which the two were written. */
  times: readonly [number, number];
}

export function likelyCause({ path, before, after, from, times }: Differing): Cause {
  const known = knownPaths.find(([pattern]) => pattern.test(path));
  if (known) return known[1];
  const [a, b] = [Buffer.from(before), Buffer.from(after)];
  if (path.endsWith('.pyc')) return { kind: 'python', text: 'compiled Python, which holds the time of its source or sets in any order', advice: '--reproducible keeps the time in step and gives PYTHONHASHSEED=0.' };
  const text = isText(a) && isText(b) ? ([a.toString(), b.toString()] as const) : undefined;
  if (text) return causeInText(...text);
  return (from === 0 ? causeInFormat(a, b) : undefined) ?? causeInBytes(a, b, times);
}

/** The cause of a path that is only there in one of the builds. */
export function causeOfName(path: string, others: readonly string[]): Cause | undefined {
  const isLike = (change: (text: string) => string): boolean => change(path) !== path && others.some((other) => other !== path && change(other) === change(path));
  if (isLike(withoutTimes)) return { kind: 'time', text: 'a time in its name', advice: clampAdvice };
  if (isLike(withoutRandom)) return { kind: 'random', text: 'a random part in its name', advice: 'Remove temporary files at the end of the RUN.' };
  return undefined;
}

function causeInText(before: string, after: string): Cause {
  const equal = (change: (text: string) => string): boolean => change(before) === change(after);
  if (equal(withoutTimes)) return { kind: 'time', text: 'a time is written into it', advice: clampAdvice };
  if (equal((text) => text.split('\n').sort().join('\n'))) return { kind: 'order', text: 'the same lines in another order', advice: 'Sort what comes from a directory (find | sort), from a hash table or from parallel jobs.' };
  const words = (text: string): string => text.split(/[\s,;:(){}[\]"']+/).sort().join(' ');
  if (equal(words)) return { kind: 'order', text: 'the same words in another order', advice: 'Sort what comes from a directory, a hash table or parallel jobs; PYTHONHASHSEED=0 for Python.' };
  if (equal(withoutUuids)) return { kind: 'random', text: 'a random UUID', advice: 'Give the program a fixed one, or remove the file: it is made again where it is missing.' };
  if (equal((text) => text.replace(/\/(?:tmp|temp)[\w./-]*|\b(?:tmp|temp)[._-]?\w{4,}/gi, 'PATH'))) return { kind: 'directory', text: 'the path of a temporary directory', advice: 'Work in a directory with a fixed name.' };
  if (equal((text) => text.replace(/(\d)[.,](?=\d)/g, '$1').toLowerCase().replace(/[^\x20-\x7e\n]/g, '?'))) return { kind: 'locale', text: 'numbers or letters of another locale', advice: 'Set LC_ALL=C.UTF-8 for the command.' };
  if (equal((text) => withoutTimes(text).replace(/\d+(?:\.\d+)?/g, '0'))) return { kind: 'number', text: 'a number that changes: how long something took, a process, a port, a counter', advice: 'Do not keep what a command says of its own run.' };
  if (equal((text) => withoutTimes(withoutRandom(text)))) return { kind: 'random', text: 'a random value', advice: 'Make it when the container starts, or from what the build is given.' };
  return { kind: 'unknown', text: 'its text differs' };
}

/** Archives hold times of their members, at fixed places. */
function causeInFormat(a: Buffer, b: Buffer): Cause | undefined {
  const begins = (bytes: string, at = 0): boolean => [a, b].every((buffer) => buffer.toString('latin1', at, at + bytes.length) === bytes);
  const advice = 'Give the archiver fixed times and a fixed order: tar --sort=name --mtime=@$SOURCE_DATE_EPOCH --owner=0 --group=0, gzip -n, zip -X, ar D.';
  if (begins('\x1f\x8b')) {
    const body = a.subarray(8).equals(b.subarray(8));
    return { kind: 'archive', text: body ? 'the header of gzip holds a time' : 'a compressed file; what is in it differs', advice: body ? 'gzip -n, or tar without z and gzip -n.' : advice };
  }
  if (begins('PK\x03\x04')) return { kind: 'archive', text: 'a zip archive (or jar, wheel) with the times of its members', advice };
  if (begins('!<arch>\n')) return { kind: 'archive', text: 'an ar archive with the times of its members', advice };
  if (begins('ustar', 257)) return { kind: 'archive', text: 'a tar archive with the times of its members', advice };
  return undefined;
}

/** How far apart a number may be from the time at which it was written, in seconds: a time zone. */
const near = 14 * 3600;

function causeInBytes(a: Buffer, b: Buffer, times: readonly [number, number]): Cause {
  const at = firstDifference(a, b);
  if (a.length === b.length) {
    const around = (buffer: Buffer): string => buffer.toString('latin1', Math.max(0, at - 40), at + 40);
    if (withoutTimes(around(a)) === withoutTimes(around(b))) return { kind: 'time', text: 'a time is written into it', advice: `${clampAdvice} Compilers take it for __DATE__ and __TIME__.` };
    for (let start = Math.max(0, at - 3); start <= at && start + 4 <= a.length; start++) {
      const isTime = (read: (buffer: Buffer) => number): boolean => [a, b].every((buffer, i) => Math.abs(read(buffer) - times[i]! / 1000) < near);
      if (isTime((buffer) => buffer.readUInt32LE(start)) || isTime((buffer) => buffer.readUInt32BE(start))) return { kind: 'time', text: 'a time is written into it, as a number', advice: clampAdvice };
    }
  }
  return { kind: 'unknown', text: 'its bytes differ' };
}

export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  let at = 0;
  while (at < shorter && a[at] === b[at]) at++;
  return at;
}

function isText(bytes: Buffer): boolean {
  return !bytes.includes(0);
}

const timePatterns: readonly RegExp[] = [
  /\b\d{4}[-/]\d\d[-/]\d\d(?:[T _]+\d\d:?\d\d(?::?\d\d(?:[.,]\d+)?)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?/g,
  /\b\d{1,2}[-/.]\d{1,2}[-/.]\d{4}\b/g,
  /\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w*,? +)?(?:\d{1,2} +)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w*\.?(?: +\d{1,2},?)?(?= |$|\d)/g,
  /\b\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?[AP]M)?/g,
  /\b20\d{6}(?:[T_-]?\d{4}(?:\d\d)?)?Z?\b/g,
  /\b(?:1[5-9]|2\d)\d{8}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?\b/g,
];

function withoutTimes(text: string): string {
  return timePatterns.reduce((rest, pattern) => rest.replace(pattern, '<time>'), text);
}

function withoutUuids(text: string): string {
  return text.replace(/\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b/gi, '<uuid>');
}

/** Runs that look drawn: of hexadecimal digits, of base64, behind a dot or a dash as mktemp makes them. */
function withoutRandom(text: string): string {
  return withoutUuids(text)
    .replace(/\b[0-9a-f]{8,}\b/gi, '<random>')
    .replace(/\b[A-Za-z0-9+/_-]{16,}={0,2}/g, '<random>')
    .replace(/([._-])[A-Za-z0-9]{6,12}\b/g, '$1<random>');
}
