import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Reads a pipe until the kernel closes it, at the end of this process. Then runs the commands and removes the folder. */
const watcher = `cat > /dev/null
for end in "$0"/*.end; do [ -e "$end" ] && . "$end"; done
rm -rf "$0" || { sleep 1; rm -rf "$0"; }`;

/** Ends and removes what this process leaves behind, however it ends: after its last test, by Ctrl+C, or by kill -9. */
export class Leftovers {
  #folder: string | undefined;
  #commands = 0;

  /** @param parent Folder to create the process's own folder in, at the first use. */
  constructor(readonly parent: string) {}

  /** Folder that is removed when this process has ended. */
  get folder(): string {
    if (!this.#folder) {
      this.#folder = mkdtempSync(join(this.parent, "warren-"));
      // A detached process does not receive Ctrl+C from the terminal.
      const options = { stdin: "pipe", stdout: "ignore", stderr: "ignore", detached: true } as const;
      Bun.spawn(["sh", "-c", watcher, this.#folder], options).unref();
    }
    return this.#folder;
  }

  /** Registers a shell command to run when this process has ended. Returns a function that withdraws it. */
  runAtEnd(command: string): () => void {
    this.#commands += 1;
    const file = join(this.folder, `${this.#commands}.end`);
    writeFileSync(file, `${command}\n`);
    return () => rmSync(file, { force: true });
  }
}
