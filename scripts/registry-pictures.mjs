// Makes the pictures of docs/registry.md with the Chromium of this machine: node scripts/registry-pictures.mjs
import { mkdirSync, writeFileSync } from 'node:fs';
import { startChromium } from '../src/registry/testing/chromium.ts';
import { fillShowroom } from '../src/registry/testing/showroom.ts';
import { startTestServer } from '../src/registry/testing/start-server.ts';
import { createWebPages } from '../src/registry/web/web-pages.ts';

const folder = new URL('../docs/pictures/', import.meta.url);
mkdirSync(folder, { recursive: true });
await using registry = await startTestServer({ groups: [createWebPages({ host: 'registry.example' })] });
await fillShowroom(registry.url);
await using browser = await startChromium();
const pictures = [
  ['registry-image.webp', '/r/shop/web:2.4.1-amd64', { width: 1100 }, 1420],
  ['registry-tags-dark.webp', '/r/shop/web', { width: 1100, dark: true }, 800],
  ['registry-narrow.webp', '/r/shop/web:2.4.1', { width: 390 }, 1150],
];
for (const [name, path, view, height] of pictures) {
  await browser.open(registry.url + path, view);
  writeFileSync(new URL(name, folder), await browser.picture({ width: view.width, height }));
}
