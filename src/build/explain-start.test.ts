/** RUN on platforms that are not this machine's: programs of a few bytes, so that no foreign base is needed. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { contextOf } from '../base/context.ts';
import { isSiruError } from '../base/errors.ts';
import { busyboxMissing } from '../images/testing/make-image.ts';
import { temporaryStore } from '../images/testing/temporary-store.ts';
import { parsePlatform } from '../oci/platform.ts';
import { checkRunnable } from '../runtime/foreign.ts';
import { tinyProgram } from '../runtime/tiny-program.ts';
import { build } from './build.ts';

const skip = process.platform !== 'linux' ? 'RUN needs Linux' : process.getuid?.() === 0 ? busyboxMissing() : 'this test runs its steps as root';

for (const architecture of ['386', 'arm64', 's390x']) {
  test(`a RUN for ${architecture} runs where the kernel can, else it is refused with its line and what to install`, { skip }, async (t) => {
    const temporary = await temporaryStore();
    t.after(() => temporary[Symbol.asyncDispose]());
    const { store, folder } = temporary;
    const context = join(folder, 'context');
    mkdirSync(context);
    writeFileSync(join(context, 'tiny'), tinyProgram(architecture)!, { mode: 0o755 });
    const platform = `linux/${architecture}`;
    const building = build({ store, context, platform, dockerfileText: 'FROM scratch\nCOPY tiny /\nRUN ["/tiny"]\n' });
    const can = await checkRunnable(parsePlatform(platform), join(folder, 'try'), contextOf()).then((doubt) => doubt === undefined, () => false);
    if (can) assert.equal((await building).steps.executed, 2);
    else {
      await assert.rejects(building, (error) => {
        assert.ok(isSiruError(error) && error.code === 'RUNTIME');
        assert.match(error.message, new RegExp(`^programs for ${platform} cannot be executed on this machine[^]*>>> RUN`));
        assert.match(error.hint ?? '', /qemu-user-static.*\$BUILDPLATFORM/);
        return true;
      });
    }
  });
}

test('an image that says it is for another platform, but holds programs of this one, runs', { skip }, async (t) => {
  const temporary = await temporaryStore();
  t.after(() => temporary[Symbol.asyncDispose]());
  const { store, folder } = temporary;
  const context = join(folder, 'context');
  mkdirSync(context);
  const own = tinyProgram(process.arch === 'x64' ? 'amd64' : process.arch);
  if (!own) return t.skip('no tiny program for this machine');
  writeFileSync(join(context, 'tiny'), own, { mode: 0o755 });
  await build({ store, context, platform: 'linux/s390x', dockerfileText: 'FROM scratch\nCOPY tiny /\nRUN ["/tiny"]\n' });
});
