import { statSync } from "node:fs";

/**
 * Checks the permissions of a file that holds a secret, by ssh's rule for private keys: if this user owns the file, no other
 * user may have access. Does not check files of other users, such as secrets mounted by a container runtime.
 *
 * @returns the mistake with the command that fixes it, or undefined if there is none.
 * @throws {Error} if the file does not exist.
 */
export function exposureOf(file: string): string | undefined {
  const { uid, mode } = statSync(file);
  if (uid !== process.getuid?.() || (mode & 0o077) === 0) return undefined;
  return `other users can open this file, which holds a secret (mode ${(mode & 0o777).toString(8).padStart(4, "0")}); run: chmod 600 ${file}`;
}
