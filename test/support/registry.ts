/** Debian's docker-registry on a free loopback port, in a temporary folder that goes with it. */
export { registryMissing, startRegistry } from '../../src/remote/testing/start-registry.ts';
export type { TestRegistry, TestRegistryOptions } from '../../src/remote/testing/start-registry.ts';
