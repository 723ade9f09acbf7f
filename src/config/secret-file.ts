import { statSync } from "node:fs";

/**
 * Checks who may open a file that holds a secret, by ssh's rule for private keys: if the file belongs to this user, nobody
 * else may read or write it. A file of another user, such as a secret that a container runtime mounts, is not checked.
 *
 * @returns the mistake with the command that corrects it, or undefined.
 * @throws {Error} if the file does not exist.
 */
export function exposureOf(file: string): string | undefined {
  const { uid, mode } = statSync(file);
  if (uid !== process.getuid?.() || (mode & 0o077) === 0) return undefined;
  return `other users can open this file, and it holds a secret (mode ${(mode & 0o777).toString(8).padStart(4, "0")}); run: chmod 600 ${file}`;
}
