/** Which extended attributes a layer that is built carries. */

/**
 * True for file capabilities, and for nothing else: that is what docker and BuildKit put into layers. `user.*` and the labels
 * of security modules belong to the machine that a file comes from.
 */
export function isCarriedXattr(name: string): boolean {
  return name === 'security.capability';
}

/** Those attributes of an entry that are carried; undefined when there are none. */
export function carriedXattrs(xattrs: Record<string, Uint8Array> | undefined): Record<string, Uint8Array> | undefined {
  if (!xattrs) return undefined;
  const kept = Object.entries(xattrs).filter(([name]) => isCarriedXattr(name));
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}
