import { expect } from "bun:test";
import { run } from "./processes";

/** Environment of programs in a project that installs the library: packages come from the cache of this user. */
export const installing = { HOME: process.env["HOME"] ?? "", RABBITMQ_URL: "none" };

/** Runs `bun <args>` in a project, which must succeed. Resolves with its output. */
export async function succeedIn(project: string, ...args: string[]): Promise<string> {
  const command = run(args, { cwd: project, env: installing });
  const code = await command.exited;
  const output = [...command.stdout, ...command.stderr].join("\n");
  expect([args, code, code === 0 ? "" : output]).toEqual([args, 0, ""]);
  return output;
}
