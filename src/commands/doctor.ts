import { existsSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../config/config";
import { exposureOf } from "../config/secret-file";
import { parseOptions, runCommand } from "../observe/command-line";
import { printableLines } from "../observe/terminal";
import { closeToOthers } from "../store/exposed-files";
import { exposedFiles } from "../store/open";
import { paint } from "./output";
import { printableJson } from "./text";

const help = `Checks this machine for problems that a running service would not notice, and says how to fix them.

  bun run doctor            checks
  bun run doctor --fix      checks, and fixes what needs no decision

Options:
  --json          print JSON
  --help          print this help

Checks:
  data files      only this user can open the database and the files of consumers
  secrets         the same for .env, webhooks.json and warren.key, if they exist

DATABASE_URL and DATA_DIR locate the files, as for the API. Exit codes: 0 no problems or all fixed, 1 problems found,
2 wrong usage.`;

const options = { fix: { type: "boolean" }, json: { type: "boolean" } } as const;

interface Finding {
  readonly check: string;
  readonly state: "ok" | "fixed" | "warning";
  readonly message: string;
}

const colours = { ok: "green", fixed: "green", warning: "yellow" } as const;

await runCommand(help, async (words) => {
  const values = parseOptions(words, options);
  const config = readConfig({ isTerminal: false, listens: false });
  const secrets = [".env", "webhooks.json", join(config.dataDir, "warren.key")].filter(
    (file) => existsSync(file) && exposureOf(file) !== undefined,
  );
  const findings = [finding("data files", exposedFiles(config), Boolean(values.fix)), finding("secrets", secrets, Boolean(values.fix))];
  console.log(values.json ? printableJson({ findings }) : findings.map(line).join("\n"));
  return findings.some(({ state }) => state === "warning") ? 1 : 0;
});

function finding(check: string, exposed: readonly string[], fix: boolean): Finding {
  if (exposed.length === 0) return { check, state: "ok", message: "only this user can open them" };
  const files = exposed.join(", ");
  if (!fix) return { check, state: "warning", message: `other users can open ${files}; run: bun run doctor --fix` };
  for (const file of exposed) closeToOthers(file);
  return { check, state: "fixed", message: `only this user can open them now: ${files}` };
}

function line({ check, state, message }: Finding): string {
  return `${paint(colours[state], state.padEnd(8))} ${check.padEnd(11)} ${printableLines(message).join(" ")}`;
}
