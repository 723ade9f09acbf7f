import { type Log, messageOf } from "../observe/logging";
import type { Leadership } from "../store/leadership";
import type { Store } from "../store/store";

/** Delay before the position is stored, in milliseconds. Each store is a commit; after a crash, events since the last one are sent again. */
const saveEveryMs = 20;

export interface StoredPositionOptions {
  readonly relayed: Store["relayed"];
  readonly leadership: Leadership;
  readonly logger: Log;
}

/** Stores the relay's position soon after it moves. */
export class StoredPosition {
  #position: number;
  #saved: number;
  #saving: Promise<void> | undefined;
  #timer: Timer | undefined;
  #stopping = false;

  /** @param position stored position. */
  constructor(
    readonly options: StoredPositionOptions,
    position: number,
  ) {
    this.#position = this.#saved = position;
  }

  moveTo(position: number): void {
    this.#position = position;
    this.#saveSoon();
  }

  /** Stores the position a last time. Later moves are not stored. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    await this.#saving;
    if (this.#position > this.#saved) await this.#save();
  }

  #saveSoon(): void {
    if (this.#saving || this.#timer || this.#stopping) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const position = this.#position;
      this.#saving = this.#save().then(() => {
        this.#saving = undefined;
        if (this.#position > position) this.#saveSoon();
      });
    }, saveEveryMs);
  }

  async #save(): Promise<void> {
    const { relayed, leadership, logger } = this.options;
    const position = this.#position;
    try {
      if (await relayed.save(position, leadership)) this.#saved = position;
      else this.#end(position);
    } catch (error) {
      logger.warn({ error: messageOf(error), position }, "Cannot store the relay's position; events may be sent twice");
    }
  }

  /** Stores nothing more, since another process leads. */
  #end(position: number): void {
    this.#stopping = true;
    this.#saved = Number.POSITIVE_INFINITY;
    this.options.logger.info({ position }, "Another process has taken over the relay; the events after this position may be sent twice");
  }
}
