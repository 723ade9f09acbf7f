import { unavailable } from "./unavailable";

/** Runs `read`. Throws {@link StoreUnavailable} in place of an SQLite error that means the store cannot be read. */
export function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unavailable(error);
  }
}
