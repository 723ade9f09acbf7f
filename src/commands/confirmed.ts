import { createInterface } from "node:readline/promises";

/** Asks the user on the terminal. Resolves with true only for a clear yes. */
export async function confirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const gone = new AbortController();
  const no = () => gone.abort();
  // Handles Ctrl+C, Ctrl+D and a terminal that closes.
  terminal.on("SIGINT", no).on("close", no);
  process.stdin.once("end", no);
  try {
    return /^\s*y(es)?\s*$/i.test(await terminal.question(`${question} [y/N] `, { signal: gone.signal }));
  } catch {
    process.stderr.write("\n");
    return false;
  } finally {
    process.stdin.off("end", no);
    terminal.close();
  }
}
