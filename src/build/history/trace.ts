/**
 * A build as traces that viewers open: Chrome's trace events (chrome://tracing, Perfetto) and OpenTelemetry's JSON encoding
 * of spans. Pure.
 */
import { createHash } from 'node:crypto';
import type { BuildEntry } from '../../store/store.ts';

interface Span {
  name: string;
  /** Stages have a line each, transfers another. */
  track: string;
  /** Milliseconds since the build began. */
  at: number;
  took: number;
  failed: boolean;
  attributes: Record<string, string | number>;
}

function spansOf(build: BuildEntry): Span[] {
  let at = 0;
  const steps = build.steps.map((step): Span => {
    // Entries of an older Siru tell no beginnings: one after the other.
    const begin = step.at ?? at;
    at = begin + step.took;
    const { stage, text, status, took, line, bytes, reason, error, diffId, key, ran } = step;
    return { name: text, track: stage, at: begin, took, failed: status === 'failed', attributes: defined({ status, line, bytes, reason, error, diffId, key, ran }) };
  });
  const transfers = (build.transfers ?? []).map(({ direction, what, state, at: begin, took, bytes }): Span =>
    ({ name: `${direction} ${what}`, track: 'transfers', at: begin, took, failed: state === 'failed', attributes: defined({ state, bytes }) }));
  return [...steps, ...transfers];
}

/** The JSON object format of the Trace Event Format; times are microseconds. */
export function chromeTrace(build: BuildEntry): object {
  const spans = spansOf(build);
  const tracks = [...new Set(spans.map(({ track }) => track))];
  const pid = 1;
  const thread = (track: string): number => tracks.indexOf(track) + 1;
  return {
    displayTimeUnit: 'ms',
    otherData: { build: build.id, outcome: build.outcome, project: build.project },
    traceEvents: [
      { ph: 'M', pid, tid: 0, name: 'process_name', args: { name: `siru build ${build.references[0] ?? build.project}` } },
      ...tracks.map((track) => ({ ph: 'M', pid, tid: thread(track), name: 'thread_name', args: { name: track === 'transfers' ? track : `stage ${track}` } })),
      { ph: 'X', pid, tid: 0, name: 'build', cat: 'build', ts: build.started * 1000, dur: Math.round(build.took * 1000), args: { outcome: build.outcome } },
      ...spans.map(({ name, track, at, took, attributes }) => ({
        ph: 'X', pid, tid: thread(track), name, cat: track === 'transfers' ? 'transfer' : 'step', ts: Math.round((build.started + at) * 1000), dur: Math.round(took * 1000), args: attributes,
      })),
    ],
  };
}

/** An ExportTraceServiceRequest in the JSON encoding of OTLP: IDs in hex, times in nanoseconds as text. */
export function openTelemetryTrace(build: BuildEntry): object {
  // The same build gives the same IDs.
  const hex = (text: string, bytes: number): string => createHash('sha256').update(`${build.id} ${text}`).digest('hex').slice(0, bytes * 2);
  const traceId = hex('trace', 16);
  const rootId = hex('build', 8);
  const nano = (at: number): string => `${BigInt(Math.round((build.started + at) * 1000)) * 1000n}`;
  const attribute = ([key, value]: [string, string | number]): object =>
    ({ key, value: typeof value === 'string' ? { stringValue: value } : Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value } });
  // 1: internal; 1: ok, 2: error
  const span = (spanId: string, parentSpanId: string, name: string, at: number, took: number, failed: boolean, attributes: Record<string, string | number>): object =>
    ({ traceId, spanId, parentSpanId, name, kind: 1, startTimeUnixNano: nano(at), endTimeUnixNano: nano(at + took), attributes: Object.entries(attributes).map(attribute), status: failed ? { code: 2 } : { code: 1 } });
  return {
    resourceSpans: [{
      resource: { attributes: [attribute(['service.name', 'siru'])] },
      scopeSpans: [{
        scope: { name: 'siru' },
        spans: [
          span(rootId, '', 'build', 0, build.took, build.outcome !== 'done', defined({ 'siru.build': build.id, 'siru.project': build.project, 'siru.outcome': build.outcome, 'siru.image': build.imageId })),
          ...spansOf(build).map(({ name, track, at, took, failed, attributes }, i) =>
            span(hex(`span ${i}`, 8), rootId, name, at, took, failed, { 'siru.track': track, ...Object.fromEntries(Object.entries(attributes).map(([key, value]) => [`siru.${key}`, value])) })),
        ],
      }],
    }],
  };
}

function defined(members: Record<string, string | number | undefined>): Record<string, string | number> {
  return Object.fromEntries(Object.entries(members).filter((member): member is [string, string | number] => member[1] !== undefined));
}
