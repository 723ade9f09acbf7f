import type { Running } from "../tests/support/processes";

const timeoutMs = 300_000;

/** Parses the line of JSON with which a program in this folder reports its measurement. */
export async function programResult<Result>(program: Running): Promise<Result> {
  const [line = ""] = await program.lines(/^\{"(count|delaysMs)"/, 1, timeoutMs);
  return JSON.parse(line) as Result;
}
