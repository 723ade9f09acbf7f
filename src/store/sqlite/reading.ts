import { unavailable } from "./unavailable";

/** Names what is the store's trouble as such. */
export function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unavailable(error);
  }
}
