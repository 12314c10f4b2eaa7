/** The pages in a real browser: what it shows, by keyboard, without scripts, light, dark and narrow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chromiumMissing, startChromium } from '../testing/chromium.ts';
import { contentOf, pushImage } from '../testing/content.ts';
import { fillShowroom } from '../testing/showroom.ts';
import { startTestServer } from '../testing/start-server.ts';
import { createWebPages } from './web-pages.ts';

const skip = chromiumMissing;

test('pages show in dark and in light, fit a narrow window, and the browser complains of nothing', { skip }, async () => {
  await using registry = await startTestServer({ groups: [createWebPages()] });
  const { image } = await fillShowroom(registry.url);
  await using browser = await startChromium();
  for (const path of ['/', '/r/shop/web', '/r/shop/web:2.4.1', '/r/shop/web:2.4.1-amd64', `/delete/shop/web@${image.digest}`]) {
    const grounds: string[] = [];
    for (const view of [{}, { dark: true }, { width: 390 }]) {
      await browser.open(registry.url + path, view);
      assert.deepEqual(browser.complaints, [], path);
      grounds.push(await browser.value('getComputedStyle(document.documentElement).backgroundColor'));
      assert.ok(await browser.value<boolean>('document.documentElement.scrollWidth <= innerWidth'), `${path} is wider than the window`);
      assert.ok((await browser.picture()).length > 5000);
      for (const url of browser.requests) assert.ok(url.startsWith(`${registry.url}/`) || url === 'data:,', url);
    }
    assert.notEqual(grounds[0], grounds[1]);
  }
});

/** Contrast of texts with their ground, by the rule of WCAG 2; the least one. */
const leastContrast = `(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  let least = [99, ''];
  for (const element of document.querySelectorAll('body *')) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < least[0]) least = [contrast, element.outerHTML.slice(0, 100)];
  }
  return least;
})()`;

test('every text has contrast enough, in light and in dark', { skip }, async () => {
  await using registry = await startTestServer({ groups: [createWebPages()] });
  const { image } = await fillShowroom(registry.url);
  await using browser = await startChromium();
  for (const path of ['/', '/r/shop/web', '/r/shop/web:2.4.1-amd64', `/delete/shop/web@${image.digest}`]) {
    for (const dark of [false, true]) {
      await browser.open(registry.url + path, { dark });
      const [contrast, where] = await browser.value<[number, string]>(leastContrast);
      assert.ok(contrast >= 4.5, `${path}, ${dark ? 'dark' : 'light'}: ${contrast} at ${where}`);
    }
  }
});

test('by keyboard alone one finds a repository and deletes a tag; scripts are off', { skip }, async () => {
  await using registry = await startTestServer({ groups: [createWebPages()] });
  await fillShowroom(registry.url);
  await using browser = await startChromium();
  const tab = (): Promise<void> => browser.key('Tab', 9);
  const enter = async (): Promise<void> => {
    const loaded = browser.loaded();
    await browser.key('Enter', 13, '\r');
    await loaded;
  };
  const focused = (): Promise<string> => browser.value('document.activeElement.textContent.trim() || document.activeElement.id');
  const tabTo = async (text: string): Promise<void> => {
    for (let i = 0; i < 60; i++) {
      await tab();
      if ((await focused()) === text) {
        assert.notEqual(await browser.value('getComputedStyle(document.activeElement).outlineStyle'), 'none', `${text} does not show that it has the focus`);
        return;
      }
    }
    assert.fail(`${text} cannot be reached`);
  };
  await browser.open(`${registry.url}/`, { scripts: false });
  await tab();
  assert.equal(await focused(), 'Skip to the content');
  assert.ok(await browser.value<boolean>('document.activeElement.getBoundingClientRect().left >= 0'), 'the skip link does not show');
  await browser.key('Enter', 13, '\r');
  assert.equal(await browser.value('location.hash'), '#content');
  await tab();
  assert.equal(await focused(), 'base/debian');
  await browser.open(`${registry.url}/`, { scripts: false });
  await tabTo('q');
  for (const letter of 'web') await browser.key(letter, letter.toUpperCase().charCodeAt(0), letter);
  await enter();
  await tabTo('shop/web');
  await enter();
  await tabTo('2.4.1');
  await enter();
  await tabTo('Delete the tag 2.4.1…');
  await enter();
  await tabTo('Delete the tag');
  await enter();
  assert.equal(await browser.value('location.pathname'), '/r/shop/web');
  assert.equal((await fetch(`${registry.url}/v2/shop/web/manifests/2.4.1`)).status, 404);
  assert.equal((await fetch(`${registry.url}/v2/shop/web/manifests/latest`)).status, 200);
});

test('another site cannot have a browser delete anything', { skip }, async () => {
  await using registry = await startTestServer({ groups: [createWebPages()] });
  await pushImage(registry.url, 'app', 'v1');
  await using browser = await startChromium();
  await browser.open(`${registry.url}/delete/app:v1`);
  const form = `<form method="post" action="${registry.url}/delete/app:v1"><input name="token" value="${'x'.repeat(43)}"><input name="digest" value="x"></form><script>document.forms[0].submit()</script>`;
  await browser.open(`data:text/html,${encodeURIComponent(form)}`);
  for (let i = 0; i < 100 && !(await browser.value<string>('document.body.innerText')).includes('Not allowed'); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.match(await browser.value('document.body.innerText'), /Not allowed/);
  assert.equal((await fetch(`${registry.url}/v2/app/manifests/v1`)).status, 200);
});

test('markup in an image stays text in the browser', { skip }, async () => {
  await using registry = await startTestServer({ groups: [createWebPages()] });
  const evil = `"><script>document.title='taken'</script><img src="/x" onerror="document.title='taken'"><b>`;
  const config = contentOf(JSON.stringify({
    architecture: 'amd64', os: 'linux', config: { Labels: { [evil]: evil }, Env: [evil], Cmd: [evil] }, rootfs: { type: 'layers', diff_ids: [] }, history: [{ created_by: evil }],
  }));
  await pushImage(registry.url, 'app', 'v1', { config, more: { annotations: { [evil]: evil } } });
  await using browser = await startChromium();
  await browser.open(`${registry.url}/r/app:v1`);
  assert.match(await browser.value('document.title'), /^app:v1/);
  assert.equal(await browser.value('document.querySelectorAll("main :is(script, img, b)").length'), 0);
  assert.ok((await browser.value<string>('document.body.innerText')).includes(evil));
  assert.deepEqual(browser.complaints, []);
});
