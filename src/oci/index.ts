/** The door `siru/oci`: descriptors, manifests, configurations, references, platforms and digests. */
export * from './descriptor.ts';
export * from './digest.ts';
export * from './image-config.ts';
export * from './manifest.ts';
export * from './media-types.ts';
export * from './platform.ts';
export * from './reference.ts';
export * from './validate.ts';
