import { StoreUnavailable } from "../errors";

/** Trouble that is the store's and not one change's, by the primary result codes of SQLite. */
export const troubles = /^SQLITE_(BUSY|LOCKED|NOMEM|READONLY|IOERR|CORRUPT|FULL|CANTOPEN|NOTADB)/;

export function unavailable(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return troubles.test(code) ? new StoreUnavailable(`${code}: ${(error as Error).message}`, { cause: error }) : error;
}
