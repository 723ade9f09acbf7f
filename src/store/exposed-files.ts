import { chmodSync } from "node:fs";
import type { Config } from "../config/config";
import type { Log } from "../observe/logging";
import { exposedFiles } from "./open";

/** Logs a warning if users other than the owner and its group can open files of the data folder. */
export function warnOfExposed(config: Pick<Config, "database" | "dataDir">, log: Log): void {
  const files = exposedFiles(config);
  if (files.length === 0) return;
  log.warn(
    { files },
    "Other users of this machine can read and lock the files of the data folder. To allow this user only, run: bun run doctor --fix",
  );
}

/** Removes all permissions on a file, except those of its owner to read and write it. */
export function closeToOthers(file: string): void {
  chmodSync(file, 0o600);
}
