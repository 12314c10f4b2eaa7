import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installersOf, isManifest } from './manifests.ts';

const names = (text: string): string[] => installersOf(text).map(({ name }) => name);

test('installing commands are known, however they are written', () => {
  const known: Record<string, string> = {
    'RUN npm ci': 'npm', 'RUN npm --no-audit install --omit=dev': 'npm', 'RUN --mount=type=cache,target=/root/.npm npm ci': 'npm', 'RUN set -e; cd /app && npm i': 'npm', 'RUN ["npm", "ci"]': 'npm',
    'RUN NODE_ENV=production npm ci && npm run build': 'npm', 'RUN yarn': 'yarn', 'RUN yarn install --frozen-lockfile': 'yarn', 'RUN corepack yarn install': 'yarn', 'RUN pnpm install --frozen-lockfile': 'pnpm', 'RUN pnpm fetch': 'pnpm', 'RUN bun install': 'bun',
    'RUN pip install -r requirements.txt': 'pip', 'RUN python3 -m pip install --no-cache-dir --requirement=requirements.txt': 'pip', 'RUN pip3 install -rrequirements.txt': 'pip', 'RUN poetry install --no-root': 'poetry', 'RUN uv sync --locked': 'uv',
    'RUN go mod download': 'go', 'RUN cargo fetch': 'cargo', 'RUN ./mvnw -B dependency:go-offline': 'Maven', 'RUN mvn dependency:resolve': 'Maven', 'RUN ./gradlew --no-daemon dependencies': 'Gradle',
    'RUN composer install --no-dev': 'Composer', 'RUN bundle install': 'Bundler', 'RUN dotnet restore': 'dotnet',
  };
  for (const [text, name] of Object.entries(known)) assert.deepEqual(names(text), [name], text);
});

test('what only looks like one is none', () => {
  for (const text of ['RUN npm run build', 'RUN npm test', 'RUN yarn build', 'RUN echo npm ci', 'RUN pip install flask', 'RUN go build ./...', 'RUN cargo build --release', 'RUN mvn package', 'COPY npm ci', 'RUN notnpm ci', 'RUN bundle exec rake', 'RUN apt-get install -y npm', 'RUN ./configure --with-npm install']) assert.deepEqual(names(text), [], text);
});

test('files that say what to install are known by their names', () => {
  for (const path of ['package.json', 'packages/a/package.json', 'requirements-dev.txt', 'go.sum', 'Cargo.lock', 'src/App.csproj', 'gradle/libs.versions.toml', 'Gemfile']) assert.ok(isManifest(path), path);
  for (const path of ['src/package.json.js', 'main.go', 'README.md', 'Gemfile.d/x']) assert.ok(!isManifest(path), path);
});
