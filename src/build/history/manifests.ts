/** Package managers: which commands install, and which files say what. Pure. */

export interface PackageManager {
  /** What people call it. */
  name: string;
  /** What to copy before the command. */
  copy: string;
  command: RegExp;
  /** Names of files whose change asks for another installation. */
  manifest: RegExp;
}

/** A command begins a line, or follows `&&`, `;`, `|`, `(`, or variables and words that only wrap it. */
const start = '(?:^|[\\n;&|(]|\\b(?:sudo|exec|time|env|corepack)\\s)\\s*(?:\\w+=\\S*\\s+)*';
const command = (text: string): RegExp => new RegExp(`${start}(?:\\S*/)?(?:${text})(?=\\s|$|[;&|)])`);
const file = (text: string): RegExp => new RegExp(`^(?:${text})$`);

const managers: readonly PackageManager[] = [
  { name: 'npm', copy: 'package*.json', command: command('npm\\s+(?:\\S+\\s+)*?(?:ci|i|install|clean-install)'), manifest: file('package\\.json|package-lock\\.json|npm-shrinkwrap\\.json|\\.npmrc') },
  { name: 'yarn', copy: 'package.json yarn.lock', command: command('yarn(?:\\s+(?:--\\S+\\s+)*install|(?:\\s+--\\S+)*\\s*$|(?=\\s*(?:&&|;)))'), manifest: file('package\\.json|yarn\\.lock|\\.yarnrc(?:\\.yml)?|\\.npmrc') },
  { name: 'pnpm', copy: 'package.json pnpm-lock.yaml', command: command('pnpm\\s+(?:--\\S+\\s+)*(?:i|install|fetch)'), manifest: file('package\\.json|pnpm-lock\\.yaml|pnpm-workspace\\.yaml|\\.npmrc|\\.pnpmfile\\.cjs') },
  { name: 'bun', copy: 'package.json bun.lock*', command: command('bun\\s+(?:i|install)'), manifest: file('package\\.json|bun\\.lockb?|bunfig\\.toml') },
  { name: 'pip', copy: 'requirements*.txt', command: command('(?:python[\\d.]*\\s+-m\\s+)?pip[\\d.]*\\s+(?:--\\S+\\s+)*install\\s.*?(?:-r|--requirement)\\S*'), manifest: file('.*requirements.*\\.txt|constraints.*\\.txt|pip\\.conf') },
  { name: 'poetry', copy: 'pyproject.toml poetry.lock', command: command('poetry\\s+(?:--\\S+\\s+)*install'), manifest: file('pyproject\\.toml|poetry\\.(?:lock|toml)') },
  { name: 'uv', copy: 'pyproject.toml uv.lock', command: command('uv\\s+(?:sync|pip\\s+(?:install|sync))'), manifest: file('pyproject\\.toml|uv\\.(?:lock|toml)|.*requirements.*\\.txt') },
  { name: 'go', copy: 'go.mod go.sum', command: command('go\\s+mod\\s+(?:download|vendor|tidy)'), manifest: file('go\\.(?:mod|sum|work|work\\.sum)') },
  { name: 'cargo', copy: 'Cargo.toml Cargo.lock', command: command('cargo\\s+(?:fetch|vendor|chef\\s+cook)'), manifest: file('Cargo\\.(?:toml|lock)|rust-toolchain(?:\\.toml)?|recipe\\.json') },
  { name: 'Maven', copy: 'pom.xml', command: command('mvnw?\\s+(?:\\S+\\s+)*?(?:dependency:(?:go-offline|resolve\\S*))'), manifest: file('pom\\.xml|settings\\.xml|mvnw|maven-wrapper\\.(?:jar|properties)') },
  { name: 'Gradle', copy: '*.gradle* gradle.lockfile', command: command('gradlew?\\s+(?:\\S+\\s+)*?(?:dependencies|downloadDependencies|resolveDependencies)'), manifest: file('.*\\.gradle(?:\\.kts)?|gradle\\.(?:properties|lockfile)|libs\\.versions\\.toml|gradlew|gradle-wrapper\\.(?:jar|properties)') },
  { name: 'Composer', copy: 'composer.json composer.lock', command: command('composer(?:\\.phar)?\\s+(?:--\\S+\\s+)*(?:i|install)'), manifest: file('composer\\.(?:json|lock)|auth\\.json') },
  { name: 'Bundler', copy: 'Gemfile Gemfile.lock', command: command('bundle(?:r)?(?:\\s+(?:--\\S+\\s+)*install)'), manifest: file('Gemfile(?:\\.lock)?|\\.ruby-version|.*\\.gemspec') },
  { name: 'dotnet', copy: '*.csproj', command: command('dotnet\\s+restore'), manifest: file('.*\\.(?:csproj|fsproj|vbproj|sln|slnx|props|targets)|packages\\.lock\\.json|nuget\\.config|global\\.json') },
];

/** The package managers whose installing commands a RUN has. */
export function installersOf(instruction: string): PackageManager[] {
  const text = instruction.replace(/^RUN\s+(?:--\S+\s+)*/i, '').replace(/^\[|\]$|"/g, '').replace(/,/g, ' ');
  return managers.filter((manager) => manager.command.test(text));
}

/** True for the name of a file that tells some package manager what to install. */
export function isManifest(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return managers.some(({ manifest }) => manifest.test(name));
}
