import { existsSync } from "node:fs";
import type { Config } from "../../config/config";
import { tokenFileIn } from "../../config/generated-token";
import { exposureOf } from "../../config/secret-file";
import { keyFileIn } from "../../rabbitmq/signing-key";
import { closeToOthers } from "../../store/exposed-files";
import { exposedFiles } from "../../store/open";
import { type Finding, failure, ok } from "./finding";

/** Checks that only this user can open the data files and the files with secrets. */
export function checkFileModes(config: Config, fix: boolean): Finding[] {
  const secrets = [".env", "webhooks.json", keyFileIn(config.dataDir), tokenFileIn(config.dataDir)];
  const exposed = secrets.filter((file) => existsSync(file) && exposureOf(file) !== undefined);
  return [finding("data files", exposedFiles(config), fix), finding("secrets", exposed, fix)];
}

function finding(check: string, exposed: readonly string[], fix: boolean): Finding {
  if (exposed.length === 0) return ok(check, "only this user can open them");
  const files = exposed.join(", ");
  if (!fix) return failure(check, `other users can open ${files}`, "Run: bun run doctor --fix");
  for (const file of exposed) closeToOthers(file);
  return { check, state: "fixed", message: `only this user can open them now: ${files}`, todo: null };
}
