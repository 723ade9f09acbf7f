import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exposureOf } from "./secret-file";

const tokenBytes = 24;

/**
 * Returns the token of a data folder, which is made at the first call and stays the same: in the file `api-token`, for this
 * user alone. Where that file cannot be made or read, or others can open it: the mistake.
 */
export function generatedToken(dataDir: string): { readonly token: string; readonly file: string } | { readonly mistake: string } {
  const file = join(dataDir, "api-token");
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const made = Buffer.from(crypto.getRandomValues(new Uint8Array(tokenBytes))).toString("hex");
    writeFileSync(file, `${made}\n`, { mode: 0o600, flag: "wx" });
    return { token: made, file };
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) return { mistake: `${file} cannot be written (${error})` };
  }
  const exposure = exposureOf(file);
  if (exposure !== undefined) return { mistake: `${file}: ${exposure}` };
  const token = readFileSync(file, "utf8").trim();
  return /^[\w.~+/-]{8,}=*$/.test(token) ? { token, file } : { mistake: `${file} holds no token; delete it, and a new one is made` };
}
