/** Caches that package managers and compilers leave behind: nothing in a finished image reads them. */

export interface CacheRule {
  name: string;
  /** What the command line can say so that nothing is left; '' when there is no such thing. */
  instead: string;
  /** Where a cache mount keeps it between builds. */
  mount: string;
}

interface Rule extends CacheRule {
  /** Finds the directory of the cache at the beginning of a path. */
  where: RegExp;
}

const rules: readonly Rule[] = [
  { name: 'apt lists', where: /^var\/lib\/apt\/lists(?=\/)/, instead: 'rm -rf /var/lib/apt/lists/* at the end of the RUN', mount: '/var/lib/apt' },
  { name: 'apt archives', where: /^var\/cache\/apt(?=\/)/, instead: 'apt-get clean at the end of the RUN', mount: '/var/cache/apt' },
  { name: 'apk', where: /^(?:var\/cache\/apk|etc\/apk\/cache)(?=\/)/, instead: 'apk add --no-cache', mount: '/var/cache/apk' },
  { name: 'dnf', where: /^var\/cache\/(?:dnf|yum|libdnf5)(?=\/)/, instead: 'dnf clean all at the end of the RUN', mount: '/var/cache/dnf' },
  { name: 'zypper', where: /^var\/cache\/zypp(?=\/)/, instead: 'zypper clean --all at the end of the RUN', mount: '/var/cache/zypp' },
  { name: 'pacman', where: /^var\/cache\/pacman\/pkg(?=\/)/, instead: 'pacman -Scc --noconfirm at the end of the RUN', mount: '/var/cache/pacman/pkg' },
  { name: 'npm', where: /^(?:.*\/)?\.npm\/_cacache(?=\/)/, instead: 'npm cache clean --force in the RUN', mount: '/root/.npm' },
  { name: 'yarn', where: /^(?:.*\/)?\.cache\/yarn(?=\/)/, instead: 'yarn cache clean in the RUN', mount: '/usr/local/share/.cache/yarn' },
  { name: 'pnpm', where: /^(?:.*\/)?\.local\/share\/pnpm\/store(?=\/)/, instead: 'pnpm store prune in the RUN', mount: '/root/.local/share/pnpm/store' },
  { name: 'JavaScript tools', where: /^(?:.*\/)?node_modules\/\.cache(?=\/)/, instead: '', mount: '/app/node_modules/.cache' },
  { name: 'pip', where: /^(?:.*\/)?\.cache\/pip(?=\/)/, instead: 'pip install --no-cache-dir', mount: '/root/.cache/pip' },
  { name: 'uv', where: /^(?:.*\/)?\.cache\/uv(?=\/)/, instead: 'uv --no-cache', mount: '/root/.cache/uv' },
  { name: 'poetry', where: /^(?:.*\/)?\.cache\/pypoetry(?=\/(?:cache|artifacts)\/)/, instead: 'poetry --no-cache', mount: '/root/.cache/pypoetry' },
  { name: 'conda', where: /^(?:.*\/)?(?:(?:mini|ana)?conda3?|mini(?:forge|mamba)3?|mambaforge)\/pkgs(?=\/)/, instead: 'conda clean -afy in the RUN', mount: '/opt/conda/pkgs' },
  { name: 'go build', where: /^(?:.*\/)?\.cache\/go-build(?=\/)/, instead: '', mount: '/root/.cache/go-build' },
  { name: 'go modules', where: /^(?:.*\/)?go\/pkg\/mod\/cache(?=\/)/, instead: '', mount: '/go/pkg/mod' },
  { name: 'cargo', where: /^(?:.*\/)?\.?cargo\/registry(?=\/(?:cache|src|index)\/)/, instead: '', mount: '/usr/local/cargo/registry' },
  { name: 'Maven', where: /^(?:.*\/)?\.m2\/repository(?=\/)/, instead: '', mount: '/root/.m2' },
  { name: 'Gradle', where: /^(?:.*\/)?\.gradle\/caches(?=\/)/, instead: '', mount: '/root/.gradle/caches' },
  { name: 'composer', where: /^(?:.*\/)?(?:\.composer\/cache|\.cache\/composer)(?=\/)/, instead: 'composer clear-cache in the RUN', mount: '/root/.composer/cache' },
];

/** All rules need one of these; most paths have none. */
const candidate = /apt\/|apk\/|var\/cache\/|\.npm\/|\.cache\/|pnpm\/|conda|forge|mamba|pkg\/mod|cargo\/|\.m2\/|\.gradle\/|\.composer\//;

/** The rule that a file in a cache falls under, and the directory of that cache. */
export function cacheOf(path: string): { rule: CacheRule; path: string } | undefined {
  if (!candidate.test(path)) return undefined;
  for (const { where, ...rule } of rules) {
    const found = where.exec(path);
    if (found) return { rule, path: found[0] };
  }
  return undefined;
}
