/**
 * For tests: a page in a real Chromium, driven over its debugging pipe.
 *
 *     await using browser = await startChromium()
 *     await browser.open('http://127.0.0.1:5000/', { width: 1100, dark: true })
 *     const png = await browser.picture()
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import type { Readable, Writable } from 'node:stream';

const program = ['chromium', 'chromium-browser', 'google-chrome'].find((name) => spawnSync(name, ['--version']).status === 0);

/** Why tests are skipped, or false. */
export const chromiumMissing: string | false = program === undefined ? 'no chromium is installed: SIRU_SETUP=browser npm run setup' : false;

export interface View {
  width?: number;
  height?: number;
  dark?: boolean;
  /** False: scripts do not run, as if the user had switched them off. */
  scripts?: boolean;
}

export interface Chromium extends AsyncDisposable {
  /** Goes there and waits until it is loaded. */
  open(url: string, view?: View): Promise<void>;
  /** PNG of the whole page, or WebP of it down to this height. */
  picture(cut?: { width: number; height: number }): Promise<Buffer>;
  /** The value of an expression in the page. */
  value<Value>(expression: string): Promise<Value>;
  key(key: string, code: number, text?: string): Promise<void>;
  /** The next page that is loaded. */
  loaded(): Promise<void>;
  /** Addresses that were asked for since the last open(). */
  requests: string[];
  /** What the browser complained of since the last open(): blocked content, errors of scripts. */
  complaints: string[];
}

interface Message {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { message: string };
}

export async function startChromium(): Promise<Chromium> {
  const profile = mkdtempSync(join(tmpdir(), 'siru-chromium-'));
  const process = spawn(program!, [
    '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--hide-scrollbars', '--disable-background-networking',
    '--disable-component-update', '--force-color-profile=srgb', `--user-data-dir=${profile}`, '--remote-debugging-pipe', 'about:blank',
  ], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], env: { ...env, HOME: profile } });
  const write = process.stdio[3] as Writable;
  const read = process.stdio[4] as Readable;
  const waiting = new Map<number, { resolve: (result: Record<string, unknown>) => void; reject: (error: Error) => void }>();
  const listeners = new Map<string, (() => void)[]>();
  const requests: string[] = [];
  const complaints: string[] = [];
  let last = 0;
  let rest = '';
  let session: string | undefined;

  const take = ({ id, method, params = {}, result, error }: Message): void => {
    if (id !== undefined) {
      const found = waiting.get(id);
      waiting.delete(id);
      if (error) found?.reject(new Error(error.message));
      else found?.resolve(result ?? {});
      return;
    }
    if (method === 'Network.requestWillBeSent') requests.push((params.request as { url: string }).url);
    if (method === 'Log.entryAdded') complaints.push((params.entry as { text: string }).text);
    if (method === 'Runtime.exceptionThrown') complaints.push(JSON.stringify(params));
    for (const listener of listeners.get(method!)?.splice(0) ?? []) listener();
  };
  read.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\0');
    rest = parts.pop()!;
    for (const part of parts) take(JSON.parse(part) as Message);
  });
  const send = (method: string, params: object = {}): Promise<Record<string, unknown>> => {
    const id = ++last;
    write.write(`${JSON.stringify({ id, method, params, ...(session !== undefined && { sessionId: session }) })}\0`);
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  };
  process.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('chromium has ended'));
  });
  const when = (event: string): Promise<void> => new Promise((resolve) => listeners.set(event, [...(listeners.get(event) ?? []), resolve]));

  const { targetInfos } = (await send('Target.getTargets')) as { targetInfos: { type: string; targetId: string }[] };
  const { targetId } = targetInfos.find(({ type }) => type === 'page')!;
  session = ((await send('Target.attachToTarget', { targetId, flatten: true })) as { sessionId: string }).sessionId;
  for (const domain of ['Page', 'Network', 'Log', 'Runtime']) await send(`${domain}.enable`);

  return {
    requests,
    complaints,
    async open(url, { width = 1100, height = 800, dark = false, scripts = true } = {}) {
      requests.length = 0;
      complaints.length = 0;
      await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
      await send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }] });
      await send('Emulation.setScriptExecutionDisabled', { value: !scripts });
      const loaded = when('Page.loadEventFired');
      await send('Page.navigate', { url });
      await loaded;
    },
    async picture(cut) {
      const how = cut === undefined ? { format: 'png' } : { format: 'webp', quality: 60, clip: { x: 0, y: 0, ...cut, scale: 1 } };
      const { data } = (await send('Page.captureScreenshot', { ...how, captureBeyondViewport: true })) as { data: string };
      return Buffer.from(data, 'base64');
    },
    async value<Value>(expression: string) {
      const { result, exceptionDetails } = (await send('Runtime.evaluate', { expression, returnByValue: true })) as { result: { value: Value }; exceptionDetails?: object };
      if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
      return result.value;
    },
    async key(key, code, text) {
      await send('Input.dispatchKeyEvent', { type: 'keyDown', key, code: key, windowsVirtualKeyCode: code, ...(text !== undefined && { text }) });
      await send('Input.dispatchKeyEvent', { type: 'keyUp', key, code: key, windowsVirtualKeyCode: code });
    },
    loaded: () => when('Page.loadEventFired'),
    async [Symbol.asyncDispose]() {
      const ended = once(process, 'exit');
      session = undefined;
      send('Browser.close').catch(() => process.kill('SIGKILL'));
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
