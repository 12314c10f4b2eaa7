/** Platforms: operating system, architecture and variant, as Go and the OCI index name them. */
import { endianness } from 'node:os';
import { SiruError } from '../base/errors.ts';

export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
  'os.version'?: string;
  'os.features'?: string[];
}

const operatingSystems = new Set(['aix', 'android', 'darwin', 'dragonfly', 'freebsd', 'illumos', 'ios', 'js', 'linux', 'netbsd', 'openbsd', 'plan9', 'solaris', 'wasip1', 'windows']);
const architectures = new Set(['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips', 'mipsle', 'mips64', 'mips64le', 'ppc64', 'ppc64le', 'riscv64', 's390x', 'wasm']);
const architectureAliases: Record<string, [architecture: string, variant?: string]> = {
  i386: ['386'], x86_64: ['amd64'], 'x86-64': ['amd64'], aarch64: ['arm64'], armhf: ['arm', 'v7'], armel: ['arm', 'v6'],
};
const osAliases: Record<string, string> = { macos: 'darwin' };

/**
 * The platform of images that this machine runs: always Linux, since containers are Linux also where Siru itself is on
 * macOS or Windows.
 */
export function hostPlatform(): Platform {
  return normalizePlatform({ os: 'linux', ...hostArchitecture() });
}

function hostArchitecture(): { architecture: string; variant?: string } {
  switch (process.arch) {
    case 'x64': return { architecture: 'amd64' };
    case 'ia32': return { architecture: '386' };
    case 'arm': return { architecture: 'arm', variant: `v${(process.config.variables as { arm_version?: string | number }).arm_version ?? 7}` };
    case 'ppc64': return { architecture: endianness() === 'LE' ? 'ppc64le' : 'ppc64' };
    case 'mipsel': return { architecture: 'mipsle' };
    default: return { architecture: process.arch };
  }
}

/**
 * Reads `os`, `architecture`, `os/architecture` or `os/architecture/variant`, with `os(version)` allowed; what is left out
 * is the host's. Other names of the same thing are unified: see normalizePlatform(). Throws PLATFORM.
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  const wrong = (why: string): SiruError =>
    new SiruError('PLATFORM', `not a platform: ${JSON.stringify(text.slice(0, 200))}: ${why}`, {
      hint: 'A platform is os/architecture[/variant], as in linux/amd64 or linux/arm/v7.',
    });
  if (parts.length > 3) throw wrong('it has more than three parts');
  if (parts.some((part) => !/^[A-Za-z0-9_.-]+(?:\([A-Za-z0-9_.+-]+\))?$/.test(part))) throw wrong('a part is empty or has characters that none may have');
  const [, first = '', version] = /^([^(]*)(?:\((.*)\))?$/.exec(parts[0]!) ?? [];
  if (parts.length === 1) {
    const name = first.toLowerCase();
    const os = osAliases[name] ?? name;
    if (operatingSystems.has(os)) return normalizePlatform({ ...hostPlatform(), os, 'os.version': version });
    if (architectures.has(name) || Object.hasOwn(architectureAliases, name)) return normalizePlatform({ os: 'linux', architecture: name });
    throw wrong('it is neither an operating system nor an architecture that is known');
  }
  return normalizePlatform({ os: first, architecture: parts[1]!, variant: parts[2], 'os.version': version });
}

/**
 * One name for each platform, as containerd has it: lower case, x86_64 -> amd64, aarch64 -> arm64, armhf -> arm/v7, arm
 * without variant -> v7, and no variant where it says nothing (arm64/v8, amd64/v1).
 */
export function normalizePlatform(platform: Platform): Platform {
  const name = platform.architecture.toLowerCase();
  const [architecture, implied] = Object.hasOwn(architectureAliases, name) ? architectureAliases[name]! : [name];
  const os = platform.os.toLowerCase();
  const result: Platform = { os: osAliases[os] ?? os, architecture };
  const variant = normalizeVariant(architecture, implied ?? platform.variant?.toLowerCase() ?? '');
  if (variant !== '') result.variant = variant;
  if (platform['os.version']) result['os.version'] = platform['os.version'];
  if (platform['os.features']?.length) result['os.features'] = platform['os.features'];
  return result;
}

function normalizeVariant(architecture: string, variant: string): string {
  const named = /^\d+$/.test(variant) && /^(?:arm|arm64|amd64)$/.test(architecture) ? `v${variant}` : variant;
  if (architecture === 'arm') return named === '' ? 'v7' : named;
  if (architecture === 'arm64' && named === 'v8') return '';
  if (architecture === 'amd64' && named === 'v1') return '';
  return architecture === '386' ? '' : named;
}

/** `os/architecture[/variant]`. */
export function formatPlatform(platform: Platform): string {
  return `${platform.os}/${platform.architecture}${platform.variant ? `/${platform.variant}` : ''}`;
}

/** True when an image for `own` runs where `wanted` is asked for: the same, or an older variant of the architecture. */
export function matchesPlatform(wanted: Platform, own: Platform): boolean {
  return rank(normalizePlatform(wanted), own) !== undefined;
}

/**
 * Position of the platform that suits best: the nearest variant (arm v8, v7, v6, v5), of equal ones the first. Entries
 * without a platform and `unknown/unknown` (attestations) are passed over. undefined when none suits.
 */
export function choosePlatform(wanted: Platform, platforms: readonly (Platform | undefined)[]): number | undefined {
  const normal = normalizePlatform(wanted);
  let best: number | undefined;
  let least = Infinity;
  for (const [position, own] of platforms.entries()) {
    const distance = own && rank(normal, own);
    if (distance === undefined || distance >= least) continue;
    least = distance;
    best = position;
  }
  return best;
}

/** The descriptor of an index whose platform suits best; see choosePlatform(). */
export function chooseDescriptor<T extends { platform?: Platform }>(descriptors: readonly T[], wanted: Platform): T | undefined {
  const position = choosePlatform(wanted, descriptors.map(({ platform }) => platform));
  return position === undefined ? undefined : descriptors[position];
}

/** How far `own` is from `wanted`, 0 for the same; undefined when it does not run there. `wanted` is normalised. */
function rank(wanted: Platform, own: Platform): number | undefined {
  const normal = normalizePlatform(own);
  if (normal.os !== wanted.os || normal.architecture !== wanted.architecture || normal.os === 'unknown') return undefined;
  if (wanted['os.version'] !== undefined && normal['os.version'] !== undefined && wanted['os.version'] !== normal['os.version']) return undefined;
  // An arm image that names no variant may be for any; it comes after those that say so.
  if (normal.architecture === 'arm' && !own.variant) return 100;
  const newest = level(wanted);
  const level_ = level(normal);
  if (newest === undefined || level_ === undefined) return wanted.variant === normal.variant ? 0 : undefined;
  return level_ <= newest ? newest - level_ : undefined;
}

/** Variants of arm, arm64 and amd64 that build on each other, as a number; undefined where variants are only names. */
function level({ architecture, variant }: Platform): number | undefined {
  if (!/^(?:arm|arm64|amd64)$/.test(architecture)) return undefined;
  const text = variant ?? (architecture === 'arm64' ? 'v8' : 'v1');
  const match = /^v(\d{1,2})(?:\.(\d{1,2}))?$/.exec(text);
  return match ? Number(match[1]) + Number(match[2] ?? 0) / 100 : undefined;
}
