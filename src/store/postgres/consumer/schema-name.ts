/** Maximum length of a name in PostgreSQL, in bytes. */
const longestName = 63;
const hashLength = 16;

/**
 * Returns the name of the PostgreSQL schema for what the consumer of a queue keeps: `warren.audit`. The service's schema has no dot in its
 * name, so no two services or queues share one. A long name is cut, and has a hash of the whole at its end.
 */
export function schemaNameOf(serviceSchema: string, queue: string): string {
  const name = `${serviceSchema}.${queue}`;
  if (name.length <= longestName) return name;
  const hash = new Bun.CryptoHasher("sha256").update(name).digest("hex").slice(0, hashLength);
  return `${name.slice(0, longestName - hashLength - 1)}~${hash}`;
}
