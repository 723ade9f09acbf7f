import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Config, ConfigError } from "../config/config";
import { exposureOf } from "../config/secret-file";
import { codeOf } from "../observe/error-code";
import { type Log, messageOf } from "../observe/logging";

/** Length of 32 random bytes in base64url. */
const leastLength = 43;

/** Returns the path of the key in a data folder. */
export function keyFileIn(dataDir: string): string {
  return join(dataDir, "warren.key");
}

/**
 * Returns the secret with which consumers sign announcements and the API verifies them: `WARREN_KEY`, or else the content of `warren.key`
 * in the data folder. Creates that file if it does not exist. Returns null, with a warning, if it cannot: a consumer without a writable
 * folder still works, but the API trusts only what is signed.
 *
 * @throws {ConfigError} for a file that others can read, or that does not have a valid key.
 */
export function signingKey({ warrenKey, dataDir }: Pick<Config, "warrenKey" | "dataDir">, log: Log): string | null {
  if (warrenKey !== null) return warrenKey;
  const file = keyFileIn(dataDir);
  try {
    return readKey(file) ?? makeKey(dataDir, file);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    log.warn({ file, error: messageOf(error) }, "No key to sign announcements with; set WARREN_KEY to that of the API");
    return null;
  }
}

/** Returns undefined if the file does not exist. */
function readKey(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const exposure = exposureOf(file);
  if (exposure) throw new ConfigError([`${file}: ${exposure}.`]);
  const key = readFileSync(file, "utf8").trim();
  if (key.length >= leastLength) return key;
  throw new ConfigError([`${file} contains no key. Remove it, and restart the API and the consumers to create a new key.`]);
}

/** Creates the key file. If several processes try at the same moment, the first one wins and all of them use its key. */
function makeKey(folder: string, file: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const unfinished = `${file}.${process.pid}.${Bun.randomUUIDv7()}`;
  writeFileSync(unfinished, `${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}\n`, {
    mode: 0o600,
    flag: "wx",
  });
  try {
    linkSync(unfinished, file);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    rmSync(unfinished);
  }
  return readKey(file) as string;
}
