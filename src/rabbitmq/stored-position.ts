import { type Log, messageOf } from "../observe/logging";
import type { Store } from "../store/store";

/** Delay before the position is stored, in milliseconds. Each store is a commit; after a crash, events since the last one are sent again. */
const saveEveryMs = 20;

/** Stores the relay's position soon after it moves. */
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

  /** Stores the position a last time. Later moves are not stored. */
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
