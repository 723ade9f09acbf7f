import { existsSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { settleMs } from "./kept-program";
import { startProgram } from "./program";

/** Keeps the generated list of the project's consumers, which the API documents, as `consumers/` is. */
export class ConsumerList {
  #isDue = false;
  #isBusy = false;

  /**
   * @param root the project.
   * @param onChange called when the list has changed.
   */
  constructor(
    readonly root: string,
    readonly onChange: () => void,
  ) {}

  /** Writes the list again if a file of a consumer has changed. */
  change(file: string): void {
    if (!file.startsWith(join(this.root, "consumers") + sep)) return;
    this.#isDue = true;
    if (!this.#isBusy) void this.#generate();
  }

  async #generate(): Promise<void> {
    this.#isBusy = true;
    while (this.#isDue) {
      await Bun.sleep(settleMs);
      this.#isDue = false;
      const before = this.#text();
      // A file that cannot be loaded is reported by the consumer itself.
      await startProgram(join(import.meta.dir, "../generate.ts"), () => {}).ended;
      if (this.#text() !== before) this.onChange();
    }
    this.#isBusy = false;
  }

  #text(): string {
    const file = join(this.root, "src/consumers.generated.ts");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }
}
