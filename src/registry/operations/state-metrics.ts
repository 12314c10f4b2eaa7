/** What is measured when somebody asks: the process, and what the storage holds. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Storage, Totals } from '../storage.ts';
import type { Family } from './exposition.ts';

/** Milliseconds for which the storage is not counted again, however often it is asked. */
const totalsAge = 60_000;

export interface StateMetrics extends Disposable {
  families(storage: Storage, inFlight: () => number): Promise<Family[]>;
}

export function createStateMetrics(): StateMetrics {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  let known: { at: number; totals: Promise<Totals> } | undefined;
  const totalsOf = (storage: Storage): Promise<Totals> => {
    if (known === undefined || performance.now() - known.at > totalsAge) {
      const mine = { at: performance.now(), totals: storage.totals() };
      known = mine;
      mine.totals.catch(() => {
        if (known === mine) known = undefined;
      });
    }
    return known.totals;
  };
  return {
    async families(storage, inFlight) {
      const totals = await totalsOf(storage);
      const { user, system } = process.cpuUsage();
      const one = (name: string, type: 'counter' | 'gauge', help: string, value: number): Family => ({ name, type, help, samples: [{ value }] });
      const families = [
        one('siru_registry_requests_in_flight', 'gauge', 'Requests that are not answered yet, this one too.', inFlight()),
        one('siru_registry_uploads_open', 'gauge', 'Uploads that were begun and neither finished nor cancelled.', totals.uploads),
        one('siru_registry_repositories', 'gauge', 'Repositories.', totals.repositories),
        one('siru_registry_manifests', 'gauge', 'Manifests of all repositories.', totals.manifests),
        one('siru_registry_tags', 'gauge', 'Tags of all repositories.', totals.tags),
        one('siru_registry_blobs', 'gauge', 'Blobs, each once however many repositories have it.', totals.blobs),
        one('siru_registry_blob_bytes', 'gauge', 'Bytes of these blobs.', totals.bytes),
        one('siru_registry_collected_timestamp_seconds', 'gauge', 'When garbage was last collected to the end, by whichever process; 0 is never.', totals.collected / 1000),
        one('siru_registry_event_loop_delay_seconds', 'gauge', 'The longest time since it was asked last for which nothing else had its turn.', Math.max(0, delay.max) / 1e9),
        one('process_cpu_seconds_total', 'counter', 'Processor time.', (user + system) / 1e6),
        one('process_resident_memory_bytes', 'gauge', 'Memory of the process.', process.memoryUsage.rss()),
        one('process_start_time_seconds', 'gauge', 'When the process began, since 1970.', (performance.timeOrigin) / 1000),
      ];
      delay.reset();
      return families;
    },
    [Symbol.dispose]: () => delay.disable(),
  };
}
