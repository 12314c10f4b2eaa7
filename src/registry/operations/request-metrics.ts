/**
 * What is counted of requests and content while the server runs. Labels have few values each, whatever clients send: no name
 * of a repository or a user is among them.
 */
import type { Outcome } from '../garbage/collect.ts';
import type { Removal } from '../garbage/ground.ts';
import type { ContentEvent, EventSink, RequestEvent } from '../hooks.ts';
import type { Family, Sample } from './exposition.ts';

export interface RequestMetrics {
  count: EventSink;
  /** A collection of this process took something away. */
  removed: (removal: Pick<Removal, 'what' | 'bytes'>) => void;
  /** One ended. */
  collected: (outcome: Outcome) => void;
  families: () => Family[];
}

/** Seconds. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const methods = new Set(['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE']);

interface Histogram {
  /** Of each bound, not added up; the last one is beyond all of them. */
  buckets: number[];
  sum: number;
  count: number;
}

/** Counts under a few labels; the key joins their values. */
interface Series<Value> {
  labels: Record<string, string>;
  value: Value;
}

export function createRequestMetrics(): RequestMetrics {
  const requests = new Map<string, Series<number>>();
  const durations = new Map<string, Series<Histogram>>();
  const received = new Map<string, Series<number>>();
  const sent = new Map<string, Series<number>>();
  const broken = new Map<string, Series<number>>();
  const content = new Map<string, Series<number>>();
  /** What a request of a kind is counted in, so that it is looked up once. */
  const kinds = new Map<string, { requests: Series<number>; received: Series<number>; sent: Series<number>; durations: Series<Histogram> }>();
  const collections = new Map<string, Series<number>>();
  const removals = new Map<string, Series<number>>();
  const freed = new Map<string, Series<number>>();

  const countRequest = (event: RequestEvent): void => {
    const { route } = event;
    const method = methods.has(event.method) ? event.method : 'other';
    const status = String(event.status);
    const key = `${route} ${method} ${status}`;
    let kind = kinds.get(key);
    if (kind === undefined) {
      kinds.set(key, (kind = {
        requests: seriesOf(requests, { route, method, status }, () => 0),
        received: seriesOf(received, { route }, () => 0),
        sent: seriesOf(sent, { route }, () => 0),
        durations: seriesOf(durations, { route, method }, () => ({ buckets: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0, count: 0 })),
      }));
    }
    kind.requests.value++;
    kind.received.value += event.bytesIn;
    kind.sent.value += event.bytesOut;
    if (event.broken) add(broken, { route, method }, 1);
    const { value } = kind.durations;
    const seconds = event.milliseconds / 1000;
    const place = bounds.findIndex((bound) => seconds <= bound);
    value.buckets[place < 0 ? bounds.length : place]!++;
    value.sum += seconds;
    value.count++;
  };
  const countContent = ({ type, kind }: ContentEvent): void => add(content, { type, kind }, 1);

  return {
    removed({ what, bytes }) {
      add(removals, { what }, 1);
      add(freed, { what }, bytes);
    },
    collected: (outcome) => add(collections, { outcome }, 1),
    count: (event) => (event.type === 'request' ? countRequest(event) : countContent(event)),
    families: () => [
      { name: 'siru_registry_requests_total', type: 'counter', help: 'Requests that were answered or broke off; status 0 is no answer.', samples: counters(requests) },
      { name: 'siru_registry_requests_broken_total', type: 'counter', help: 'Requests whose client went away before the answer was whole.', samples: counters(broken) },
      { name: 'siru_registry_request_duration_seconds', type: 'histogram', help: 'From the head of a request to the end of its answer.', samples: histograms(durations) },
      { name: 'siru_registry_received_bytes_total', type: 'counter', help: 'Bytes of the bodies of requests.', samples: counters(received) },
      { name: 'siru_registry_sent_bytes_total', type: 'counter', help: 'Bytes of the bodies of answers.', samples: counters(sent) },
      { name: 'siru_registry_content_total', type: 'counter', help: 'What happened to blobs, manifests and tags.', samples: counters(content) },
      { name: 'siru_registry_collections_total', type: 'counter', help: 'Collections of garbage that this process began, by how they ended.', samples: counters(collections) },
      { name: 'siru_registry_collected_total', type: 'counter', help: 'What they took away.', samples: counters(removals) },
      { name: 'siru_registry_collected_bytes_total', type: 'counter', help: 'Bytes of that.', samples: counters(freed) },
    ],
  };
}

function seriesOf<Value>(all: Map<string, Series<Value>>, labels: Record<string, string>, initial: () => Value): Series<Value> {
  const key = Object.values(labels).join(' ');
  let found = all.get(key);
  if (found === undefined) all.set(key, (found = { labels, value: initial() }));
  return found;
}

function add(all: Map<string, Series<number>>, labels: Record<string, string>, by: number): void {
  seriesOf(all, labels, () => 0).value += by;
}

function counters(all: Map<string, Series<number>>): Sample[] {
  return [...all.values()];
}

function histograms(all: Map<string, Series<Histogram>>): Sample[] {
  return [...all.values()].flatMap(({ labels, value: { buckets, sum, count } }): Sample[] => {
    let below = 0;
    return [
      ...[...bounds, Infinity].map((bound, i): Sample => ({ suffix: '_bucket', labels: { ...labels, le: bound === Infinity ? '+Inf' : String(bound) }, value: (below += buckets[i]!) })),
      { suffix: '_sum', labels, value: sum },
      { suffix: '_count', labels, value: count },
    ];
  });
}
