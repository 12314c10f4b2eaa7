/** JSON whose bytes depend on the value alone. */

/**
 * JSON with the members of every object sorted by name and undefined members left out, without white space.
 * Equal values give equal bytes, so it may be hashed.
 */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (member === null || typeof member !== 'object' || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}
