/** `siru inspect` */
import type { Command } from 'commander';
import { resolveImage } from '../../images/resolve.ts';
import { readImage } from '../../images/read.ts';
import type { Image } from '../../images/read.ts';
import type { Store, StoredImage } from '../../store/store.ts';
import { layerSizes } from '../../images/sizes.ts';
import type { Call } from '../call.ts';
import { errorText } from '../errors.ts';
import { formatObjects } from '../format.ts';
import { shortName } from '../names.ts';
import { asStruct } from '../template/value.ts';

interface Flags {
  format?: string;
  type?: string;
  size?: boolean;
  platform?: string;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] IMAGE [IMAGE...]')
    .argument('<image...>')
    .option('-f, --format <template>', "'json' or a Go template")
    .option('--type <type>', "'image'")
    .option('-s, --size', 'Sizes are always shown')
    .option('--platform <platform>', 'Of an image for several platforms')
    .addHelpText('after', `
Examples:
  siru inspect app:1.0
  siru inspect --format '{{.Config.Cmd}}' app:1.0
  siru inspect --format '{{range .Config.Env}}{{println .}}{{end}}' app:1.0
  siru inspect --format '{{json .RootFS.Layers}}' app:1.0`);
}

export async function run(call: Call, operands: string[], flags: Flags): Promise<number> {
  const store = await call.store();
  const { parsePlatform } = await import('../../oci/platform.ts');
  const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
  const found: object[] = [];
  const faults: unknown[] = [];
  for (const name of operands) {
    try {
      const stored = resolveImage(store, name);
      found.push(inspected(store, stored, readImage(store, stored, platform)));
    } catch (error) {
      faults.push(error);
    }
  }
  // As docker does: what was found is printed, what was not is an error each.
  if (flags.format === undefined) call.print(`${JSON.stringify(found, undefined, 4)}\n`);
  else if (found.length > 0) call.print(formatObjects(found, flags.format));
  for (const fault of faults) call.tell(errorText(fault, call.debug));
  return faults.length > 0 ? 1 : 0;
}

/** An image in the members that docker's `image inspect` has. */
function inspected(store: Store, stored: StoredImage, image: Image): object {
  const { config } = image;
  const about = config.config ?? {};
  return asStruct({
    Id: image.configDigest,
    RepoTags: stored.names.map(shortName),
    RepoDigests: stored.repoDigests.map(shortName),
    Parent: '',
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: config.created ?? null,
    DockerVersion: '',
    Author: config.author ?? '',
    Architecture: config.architecture,
    Variant: config.variant ?? '',
    Os: config.os,
    OsVersion: config['os.version'] ?? '',
    Size: layerSizes(store, image).reduce((sum, size) => sum + size, 0),
    Config: asStruct({
      User: about.User ?? '',
      ExposedPorts: about.ExposedPorts ?? null,
      Env: about.Env ?? null,
      Cmd: about.Cmd ?? null,
      ArgsEscaped: about.ArgsEscaped ?? false,
      Healthcheck: about.Healthcheck ?? null,
      Volumes: about.Volumes ?? null,
      WorkingDir: about.WorkingDir ?? '',
      Entrypoint: about.Entrypoint ?? null,
      OnBuild: about.OnBuild ?? null,
      Labels: about.Labels ?? null,
      StopSignal: about.StopSignal ?? '',
      Shell: about.Shell ?? null,
    }),
    RootFS: asStruct({ Type: config.rootfs.type, Layers: config.rootfs.diff_ids }),
    Metadata: asStruct({ LastTagTime: new Date(stored.updated).toISOString() }),
    Descriptor: asStruct({ mediaType: stored.descriptor.mediaType, digest: stored.descriptor.digest, size: stored.descriptor.size }),
  });
}
