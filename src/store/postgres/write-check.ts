import type { Queries } from "./connection/queries";

/** Number of bytes to write: more than a typical change writes with its event and indexes. A disk with less space counts as full. */
const checkBytes = 64 * 1024;

/** Returns a function that rejects if the store cannot be written. It writes to find out, and concurrent calls share one write. */
export function writeCheck({ query }: Queries): () => Promise<void> {
  let checking: Promise<void> | undefined;
  const write = async () => {
    // Random data, so that it is not compressed.
    const filler = Buffer.from(crypto.getRandomValues(new Uint8Array((checkBytes * 3) / 4))).toString("base64");
    await query("INSERT INTO warren_write_check (filler) VALUES ($1) ON CONFLICT (one) DO UPDATE SET filler = excluded.filler", filler);
  };
  return () => {
    checking ??= write().finally(() => {
      checking = undefined;
    });
    return checking;
  };
}
