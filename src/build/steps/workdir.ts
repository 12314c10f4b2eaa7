/** WORKDIR: the directory is made where it is missing, for the current user. A layer is made in any case. */
import { SiruError } from '../../base/errors.ts';
import type { Step } from '../../solver/step.ts';
import type { WorkdirPlan } from '../step-plan.ts';
import type { FileStepDeps } from './deps.ts';
import { createDestination } from './destination.ts';
import { createFileStep } from './file-step.ts';
import { finishOutputs } from './finish-outputs.ts';
import { resolveChown } from './chown.ts';

/** The step of a WORKDIR. When the directory exists its layer is empty. */
export function createWorkdirStep(plan: WorkdirPlan, deps: FileStepDeps): Step {
  return createFileStep(deps, async () => {
    const destination = createDestination(await deps.view());
    const path = destination.resolve(plan.path);
    const parts = [{ name: 'instruction', value: `WORKDIR ${plan.path}` }];
    if (path === '' || destination.isDirectory(path)) {
      if (path !== '') parts.push({ name: `directory /${path}`, value: 'exists' });
      return { planned: { outputs: [], roots: [], answers: destination.answers() }, parts, files: false };
    }
    if (destination.at(path)) throw new SiruError('CONTEXT', `WORKDIR /${path}: there is a file of that name`);
    if (plan.user !== '') parts.push({ name: 'user', value: plan.user });
    const owner = isRoot(plan.user) ? { uid: 0, gid: 0, parts: [] } : await resolveChown(plan.user, (file) => deps.readFile(file));
    destination.makeDirectories(path, { mode: 0o755, uid: owner.uid, ...(plan.user === '' ? {} : { gid: owner.gid }) });
    return { planned: { ...finishOutputs(destination, deps.epoch), roots: [] }, parts: [...parts, ...owner.parts], files: false };
  });
}

/** True for the users that need no look-up, so that WORKDIR works in an image without users. */
function isRoot(user: string): boolean {
  return user === '' || user === 'root' || user === '0';
}
