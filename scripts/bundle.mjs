// Bundles the compiled program, and its helper, into few CommonJS files, so that it starts quickly. CommonJS, because linking ES modules
// costs a third of a millisecond each and their view of a built-in module evaluates all of it; and built-in modules that
// not every command needs are loaded at the first call into them.
import { resolve } from 'node:path';
import { rolldown } from 'rolldown';

// Folder of the compiled modules, folder for the program.
const [input, output] = process.argv.slice(2);

/** Always needed, or loaded by Node before the program anyway. */
const always = new Set(['fs', 'path', 'os', 'events', 'buffer', 'url', 'util', 'module', 'process']);

/** Stands for a built-in module: functions, classes and objects that load it when they are used. */
function lazyModule(name) {
  const module = process.getBuiltinModule(name);
  const lines = [
    'let loaded;',
    `const load = () => loaded ??= process.getBuiltinModule(${JSON.stringify(name)});`,
    `const lazy = (key, base) => {
      const proxy = new Proxy(base, {
        get: (_, member) => load()[key][member],
        apply: (_, self, args) => load()[key](...args),
        construct: (_, args, target) => Reflect.construct(load()[key], args, target === proxy ? load()[key] : target),
      });
      return proxy;
    };`,
  ];
  for (const key of Object.keys(module)) {
    if (key === 'default' || !/^[A-Za-z_$][\w$]*$/.test(key)) continue;
    const local = `lazy_${key}`;
    // By value, since some classes are behind getters: BlockList of node:net.
    const base = typeof module[key] === 'function' ? 'function () {}' : '{}';
    lines.push(`const ${local} = /* @__PURE__ */ lazy(${JSON.stringify(key)}, ${base});`, `export { ${local} as ${key} };`);
  }
  return `${lines.join('\n')}\nexport default new Proxy({}, { get: (_, member) => load()[member] });\n`;
}

/** The same for one that is there: its members by themselves, because rolldown's view of a module evaluates every getter of it. */
function presentModule(name) {
  const lines = [`const module = process.getBuiltinModule(${JSON.stringify(name)});`, 'const member = (key) => module[key];'];
  for (const key of Object.keys(process.getBuiltinModule(name))) {
    if (key === 'default' || !/^[A-Za-z_$][\w$]*$/.test(key)) continue;
    lines.push(`const own_${key} = /* @__PURE__ */ member(${JSON.stringify(key)});`, `export { own_${key} as ${key} };`);
  }
  return `${lines.join('\n')}\nexport default module;\n`;
}

const lazyBuiltins = {
  name: 'lazy-builtins',
  resolveId(id, _importer, { kind }) {
    if (!id.startsWith('node:')) return null;
    if (!always.has(id.slice(5))) return { id: `\0lazy:${id}`, moduleSideEffects: false };
    return kind === 'require-call' ? { id, external: true } : { id: `\0present:${id}`, moduleSideEffects: false };
  },
  load(id) {
    if (id.startsWith('\0present:')) return presentModule(id.slice(9));
    return id.startsWith('\0lazy:') ? lazyModule(id.slice(6)) : null;
  },
};

/** What each of these needs at once lies in one file; what several need is in the first. */
const groups = {
  core: ['cli/program.js', 'store/open-store.js'],
  building: ['cli/commands/build.js', 'build/build.js', 'cli/resume.js'],
  copying: ['build/create-file-step.js', 'build/contexts/directory.js', 'build/layer-stack.js'],
  executing: ['build/steps/run-execute.js', 'images/layers.js', 'runtime/helper-client.js', 'runtime/users.js'],
};

/** A function from a module's path to the name of its file. */
function fileNames(wanted) {
  const members = new Map();
  const gather = (id, name, getModuleInfo) => {
    const info = getModuleInfo(id);
    if (!info || info.isEntry || members.has(id)) return;
    members.set(id, name);
    for (const imported of info.importedIds) gather(imported, name, getModuleInfo);
  };
  return (id, chunking) => {
    const getModuleInfo = (module) => chunking.getModuleInfo(module);
    if (members.size === 0) {
      for (const [name, roots] of Object.entries(wanted)) for (const root of roots) gather(resolve(input, root), name, getModuleInfo);
    }
    return members.get(id) ?? null;
  };
}

/** V8 keeps text that is ASCII throughout in half the bytes. */
const asciiOnly = {
  name: 'ascii-only',
  generateBundle(options, files) {
    for (const file of Object.values(files)) {
      if (file.type === 'chunk') file.code = file.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    }
  },
};

async function write(entry, prefix, wanted) {
  const bundle = await rolldown({
    input: entry,
    platform: 'node',
    external: ['koffi'],
    plugins: [lazyBuiltins, asciiOnly],
    preserveEntrySignatures: 'allow-extension',
    checks: { ineffectiveDynamicImport: false },
    logLevel: 'warn',
  });
  await bundle.write({
    dir: output,
    format: 'cjs',
    // Less to read; names stay, for stack traces.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    entryFileNames: '[name].cjs',
    chunkFileNames: `${prefix}[name].cjs`,
    codeSplitting: { groups: [{ debugName: 'by command', name: fileNames(wanted), includeDependenciesRecursively: false }] },
  });
  await bundle.close();
}

await write({ main: `${input}/cli/main.js` }, '', groups);
// The helper is another process: it would load all that it shares with the program, and that is in the program's large files.
await write({ helper: `${input}/runtime/helper.js` }, 'helper-', { running: ['runtime/helper.js', 'runtime/processes.js', 'runtime/snapshots.js', 'layer/writer.js', 'layer/diff.js', 'runtime/remove-tree.js'] });
