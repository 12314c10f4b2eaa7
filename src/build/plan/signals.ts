/** Signals that STOPSIGNAL may name: those of Linux, which is where the image will run. Pure. */

const names = new Set(
  ('ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN ' +
    'TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX').split(' '),
);

/** A number but 0 that fits into 64 bits, or a name with or without `SIG`, in any case. */
export function isSignal(signal: string): boolean {
  if (/^[+-]?\d+$/.test(signal)) return Number(signal) !== 0 && BigInt(signal.replace('+', '')) === BigInt.asIntN(64, BigInt(signal.replace('+', '')));
  const name = signal.toUpperCase().replace(/^SIG/, '');
  if (names.has(name)) return true;
  const realtime = /^RT(MIN\+|MAX-)(\d+)$/.exec(name);
  if (!realtime) return false;
  const offset = Number(realtime[2]);
  return offset >= 1 && offset <= (realtime[1] === 'MIN+' ? 15 : 14);
}
