import type { Running } from "../tests/support/processes";

const timeoutMs = 300_000;

/** The line of JSON with which a program of this folder tells what it measured. */
export async function programResult<Result>(program: Running): Promise<Result> {
  const [line = ""] = await program.lines(/^\{"(count|delaysMs)"/, 1, timeoutMs);
  return JSON.parse(line) as Result;
}
