// The compiled program. V8's compiled code is kept between runs: beside the program where that can be written, else in
// the user's own cache, never in a shared /tmp, where others could put code of theirs.
'use strict';
const { accessSync, constants } = require('node:fs');
const { join } = require('node:path');

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`siru: needs Node 24 or newer, this is ${process.versions.node} (${process.execPath})\n`);
  process.exit(1);
}

function cacheFolder() {
  const { HOME, XDG_CACHE_HOME } = process.env;
  const dist = join(__dirname, '../dist');
  try {
    accessSync(dist, constants.W_OK);
    return join(dist, 'cache');
  } catch {
    const own = XDG_CACHE_HOME || (HOME && join(HOME, '.cache'));
    return own && join(own, 'siru/code');
  }
}

const folder = process.env.NODE_COMPILE_CACHE || cacheFolder();
if (folder) {
  require('node:module').enableCompileCache(folder);
  process.env.NODE_COMPILE_CACHE = folder; // for the helper process
}
require('../dist/cli/main.cjs').main(process.argv.slice(2));
