/** The two checks of EXPOSE. Ports that a variable gives are left to the build, which knows its value. */
import type { Dockerfile } from '../instruction.ts';
import { allInstructions, type Check } from './check.ts';

/** Protocols are in lower case. */
export const exposeProtoCasing: Check = (dockerfile) =>
  ports(dockerfile)
    .filter(({ port }) => /\/.*[A-Z]/.test(port))
    .map(({ port, line }) => ({ text: `Defined protocol '${port}' in EXPOSE instruction should be lowercase`, line }));

/** EXPOSE names ports of the container; addresses and ports of the host belong to `run -p`. */
export const exposeInvalidFormat: Check = (dockerfile) =>
  ports(dockerfile)
    .filter(({ port }) => port.includes(':'))
    .map(({ port, line }) => ({ text: `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`, line }));

function ports(dockerfile: Dockerfile): { port: string; line: number }[] {
  return allInstructions(dockerfile).flatMap((instruction) =>
    instruction.kind === 'expose' ? instruction.ports.filter((port) => !port.includes('$')).map((port) => ({ port, line: instruction.lines.start })) : [],
  );
}
