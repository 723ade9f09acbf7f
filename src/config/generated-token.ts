import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exposureOf } from "./secret-file";

const tokenBytes = 24;

/** Returns the path of the generated token in a data folder. */
export function tokenFileIn(dataDir: string): string {
  return join(dataDir, "api-token");
}

/**
 * Returns the token in the file `api-token` of a data folder. Creates the file, readable only by this user, if it does not
 * exist. Returns the mistake if the file cannot be created, holds no valid token, or can be opened by other users.
 *
 * @throws {Error} if the file exists but cannot be read.
 */
export function generatedToken(dataDir: string): { readonly token: string; readonly file: string } | { readonly mistake: string } {
  const file = tokenFileIn(dataDir);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const made = Buffer.from(crypto.getRandomValues(new Uint8Array(tokenBytes))).toString("hex");
    writeFileSync(file, `${made}\n`, { mode: 0o600, flag: "wx" });
    return { token: made, file };
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) return { mistake: `cannot write ${file} (${error})` };
  }
  const exposure = exposureOf(file);
  if (exposure !== undefined) return { mistake: `${file}: ${exposure}` };
  const token = readFileSync(file, "utf8").trim();
  return /^[\w.~+/-]{8,}=*$/.test(token)
    ? { token, file }
    : { mistake: `${file} does not contain a valid token; delete it to create a new one` };
}
