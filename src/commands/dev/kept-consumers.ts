import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { importedFiles } from "./imported-files";
import { KeptProgram, settleMs } from "./kept-program";
import type { Program } from "./program";
import type { WatchedFolders } from "./watch";

export interface ConsumersOptions {
  /** The project. */
  readonly root: string;
  readonly folders: WatchedFolders;
  /** Starts the file of a consumer. */
  start(name: string, file: string): Program;
  say(name: string, text: string): void;
}

/** Keeps a program running for each file in `consumers/`. */
export class KeptConsumers {
  readonly #folder: string;
  readonly #domain: string;
  readonly #programs = new Map<string, { readonly program: KeptProgram; readonly running: Promise<number>; files: Set<string> }>();
  readonly #imports = new Map<string, readonly string[]>();
  #isStopping = false;

  constructor(readonly options: ConsumersOptions) {
    this.#folder = join(options.root, "consumers");
    this.#domain = join(options.root, "src/domain");
  }

  /** Starts all consumers. */
  start(): void {
    this.options.folders.watch("consumers");
    const files = existsSync(this.#folder) ? [...new Bun.Glob("*.ts").scanSync(this.#folder)].sort() : [];
    for (const file of files) this.#keep(join(this.#folder, file));
  }

  /** Starts consumers again that consist of a changed file. Starts or ends one whose file was added or removed. */
  change(file: string): void {
    if (this.#isStopping) return;
    this.#imports.delete(file);
    if (dirname(file) === this.#folder && file.endsWith(".ts")) setTimeout(() => this.#look(file), settleMs);
    // Every consumer loads all resources.
    const isResource = dirname(file) === this.#domain;
    for (const { program, files } of this.#programs.values()) if (isResource || files.has(file)) program.change();
  }

  /** Ends all consumers after the events in progress. Resolves with their exit codes. */
  async stop(signal: NodeJS.Signals): Promise<number[]> {
    this.#isStopping = true;
    for (const { program } of this.#programs.values()) program.stop(signal);
    return Promise.all([...this.#programs.values()].map(({ running }) => running));
  }

  /** Ends all consumers at once. */
  kill(): void {
    for (const { program } of this.#programs.values()) program.kill();
  }

  /** Starts or ends the consumer of a file, if the file was added or removed. */
  #look(file: string): void {
    if (this.#isStopping) return;
    const kept = this.#programs.get(file);
    if (!existsSync(file)) kept?.program.stop("SIGTERM");
    else if (!kept) this.#keep(file);
  }

  #keep(file: string): void {
    const name = basename(file, ".ts");
    const program = new KeptProgram({
      title: "The consumer",
      restarts: true,
      say: (text) => this.options.say(name, text),
      start: async () => {
        const started = this.options.start(name, file);
        kept.files = importedFiles(file, this.#imports);
        this.options.folders.cover(kept.files);
        return started;
      },
    });
    const kept = { program, running: Promise.resolve(0), files: new Set([file]) };
    this.#programs.set(file, kept);
    kept.running = program.run().finally(() => {
      if (this.#isStopping) return;
      this.#programs.delete(file);
      // It may have been added again meanwhile.
      this.#look(file);
    });
  }
}
