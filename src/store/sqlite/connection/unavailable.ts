import { codeOf } from "../../../observe/error-code";
import { StoreReplaced, StoreUnavailable } from "../../errors";

/** Primary result codes of SQLite that mean the store is unavailable, rather than that one change is invalid. */
const troubles = /^SQLITE_(BUSY|LOCKED|NOMEM|READONLY|IOERR|CORRUPT|FULL|CANTOPEN|NOTADB)/;

/** Returns a {@link StoreUnavailable} with the error as its cause if SQLite reports such a code. Otherwise returns the error itself. */
export function unavailable(error: unknown): unknown {
  const code = codeOf(error);
  if (!troubles.test(code)) return error;
  const Trouble = code === "SQLITE_READONLY_DBMOVED" ? StoreReplaced : StoreUnavailable;
  return new Trouble(`${code}: ${(error as Error).message}`, { cause: error });
}
