/** An error with a message that lets the user fix it; exit code 1. */
export class Trouble extends Error {
  override readonly name = "Trouble";
}

/** Exit code after Ctrl+C. */
export const interrupted = 130;

/** Calls `stop` on the first Ctrl+C or SIGTERM; exits at once on the second. */
export function onInterrupt(stop: () => void): void {
  let stopping = false;
  const onSignal = () => {
    if (stopping) process.exit(interrupted);
    stopping = true;
    stop();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
}

/** Quotes arguments for a shell. */
export function quoted(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}
