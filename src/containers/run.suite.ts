/** Runs a container on this process's own streams. Arguments: root of the store, flags (-i, -it, exec), script or program. */
import { openStore } from '../store/open-store.ts';
import { runContainer } from './run.ts';
import { forwardSignals } from './signals.ts';

const [root, flags, script] = process.argv.slice(2) as [string, string, string];
const store = await openStore({ root });
let forwarding: Disposable | undefined;
const { exitCode } = await runContainer({
  store,
  image: 'plain',
  remove: true,
  args: flags === 'exec' ? [script] : ['sh', '-c', script],
  interactive: flags.includes('i'),
  tty: flags.includes('t'),
  onStart: (control) => {
    forwarding = forwardSignals(control, () => void control.kill('SIGKILL'));
  },
});
forwarding?.[Symbol.dispose]();
await store.close();
process.exitCode = exitCode;
