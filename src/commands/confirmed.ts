import { createInterface } from "node:readline/promises";

/** Asks a person on the terminal; anything but a clear yes is a no. */
export async function confirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const gone = new AbortController();
  const no = () => gone.abort();
  // Ctrl+C, Ctrl+D, and a terminal that goes away.
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
