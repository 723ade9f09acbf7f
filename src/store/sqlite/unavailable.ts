import { StoreReplaced, StoreUnavailable } from "../errors";

/** Trouble that is the store's and not one change's, by the primary result codes of SQLite. */
export const troubles = /^SQLITE_(BUSY|LOCKED|NOMEM|READONLY|IOERR|CORRUPT|FULL|CANTOPEN|NOTADB)/;

export function unavailable(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (!troubles.test(code)) return error;
  const Trouble = code === "SQLITE_READONLY_DBMOVED" ? StoreReplaced : StoreUnavailable;
  return new Trouble(`${code}: ${(error as Error).message}`, { cause: error });
}
