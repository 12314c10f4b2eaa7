/** `siru index inspect` */
import type { Command } from 'commander';
import type { IndexNode } from '../../images/indexes/index-tree.ts';
import { shortId } from '../../oci/digest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Call } from '../call.ts';
import { addRegistryFlags, registryOptions } from '../registry-flags.ts';
import type { RegistryFlags } from '../registry-flags.ts';
import { harmlessLine } from '../sanitize.ts';
import { treeText } from '../tree-text.ts';
import type { TextTree } from '../tree-text.ts';
import { humanSize } from '../units.ts';
import { writeOut } from '../write-out.ts';

interface Flags extends RegistryFlags {
  raw?: boolean;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] IMAGE')
    .argument('<image>')
    .option('--raw', 'Print the document, byte for byte')
    .option('--json', 'All that is shown, as JSON');
  addRegistryFlags(command);
  command.addHelpText('after', `
IMAGE is a place as siru copy has them: NAME[:TAG][@DIGEST], store:IMAGE, oci:FOLDER[:TAG], oci-archive:FILE, ...

Examples:
  siru index inspect alpine:3.20
  siru index inspect --raw registry.example:5000/app:1.0 | sha256sum`);
}

export async function run(call: Call, [image]: string[], flags: Flags): Promise<void> {
  const [{ parsePlace }, { openSource }, { createRemote }] = await Promise.all([import('../../images/places/parse-place.ts'), import('../../images/places/open-place.ts'), import('../../remote/client.ts')]);
  const place = parsePlace(image!);
  await using remote = createRemote({ registries: registryOptions(call, flags) });
  const context = call.context();
  await using source = await openSource(place, { remote, store: () => call.store() }, context);
  if (flags.raw) return await writeOut((await source.resolve(context)).bytes);
  const { readIndexTree } = await import('../../images/indexes/index-tree.ts');
  const { tree } = await readIndexTree(source, context);
  if (flags.json) return call.print(`${JSON.stringify(tree, null, 2)}\n`);
  call.print(`${harmlessLine(source.name)}\n${treeText(viewOf(tree, new Map((tree.children ?? []).map((child) => [child.digest, child]))))}`);
}

function viewOf(node: IndexNode, siblings: ReadonlyMap<string, IndexNode>): TextTree {
  const { digest, size, layers, content, missing, children = [], annotations, ownAnnotations } = node;
  const facts = missing ? ['not here'] : [
    ...(layers === undefined ? [] : [`${layers} ${layers === 1 ? 'layer' : 'layers'}`]),
    humanSize(content ?? size),
  ];
  const told = { ...ownAnnotations, ...annotations };
  return {
    line: harmlessLine(`${nameOf(node, siblings)}  ${digest}  ${facts.join(', ')}`),
    notes: Object.entries(told).filter(([key]) => !key.startsWith('vnd.docker.reference.')).map(([key, value]) => harmlessLine(`${key}=${value}`)),
    children: children.map((child) => viewOf(child, new Map(children.map((one) => [one.digest, one])))),
  };
}

function nameOf({ kind, mediaType, platform, about, artifactType }: IndexNode, siblings: ReadonlyMap<string, IndexNode>): string {
  if (about !== undefined) {
    const image = siblings.get(about)?.platform;
    return `attestation of ${image ? formatPlatform(image) : shortId(about)}`;
  }
  if (kind === 'image') return platform ? formatPlatform(platform) : 'image';
  if (kind === 'artifact') return artifactType ?? 'artifact';
  return kind === 'index' ? `index${platform ? ` ${formatPlatform(platform)}` : ''}` : mediaType;
}
