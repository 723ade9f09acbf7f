import { type Log, messageOf } from "../observe/logging";
import type { Store } from "../store/store";

/** Storing the position costs a commit of its own on an idle system; after a crash, what came since is sent again. */
const saveEveryMs = 20;

/** Stores how far the relay came, soon after it moved. */
export class StoredPosition {
  #position = 0;
  #saved = 0;
  #saving = false;
  #timer: Timer | undefined;
  #stopping = false;

  constructor(
    readonly relayed: Store["relayed"],
    readonly logger: Log,
  ) {}

  async load(): Promise<number> {
    this.#position = this.#saved = await this.relayed.load();
    return this.#position;
  }

  moveTo(position: number): void {
    this.#position = position;
    this.#saveSoon();
  }

  /** Stores the position now, and no more after that. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    if (this.#position > this.#saved) await this.#save(this.#position);
  }

  #saveSoon(): void {
    if (this.#saving || this.#timer || this.#stopping) return;
    this.#timer = setTimeout(async () => {
      this.#timer = undefined;
      this.#saving = true;
      const position = this.#position;
      await this.#save(position);
      this.#saving = false;
      if (this.#position > position) this.#saveSoon();
    }, saveEveryMs);
  }

  async #save(position: number): Promise<void> {
    try {
      await this.relayed.save(position);
      this.#saved = position;
    } catch (error) {
      this.logger.warn({ error: messageOf(error), position }, "Cannot store the relay's position; events may be sent twice");
    }
  }
}
