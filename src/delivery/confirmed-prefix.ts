interface Sent {
  readonly position: number;
  confirmed: boolean;
}

/** Maximum number of confirmed entries to keep. Removing each by itself would move all entries after it. */
const mostDone = 1024;

/** Tracks the position up to which everything is confirmed, while confirms arrive in any order. */
export class ConfirmedPrefix {
  readonly #sent: Sent[] = [];
  /** Number of confirmed entries at the start of `#sent`. */
  #done = 0;

  /** Adds the next position sent. Returns a function that confirms it, which returns the new end of the prefix if that moved. */
  send(position: number): () => number | undefined {
    const sent: Sent = { position, confirmed: false };
    this.#sent.push(sent);
    return () => {
      sent.confirmed = true;
      return this.#advance();
    };
  }

  #advance(): number | undefined {
    const before = this.#done;
    while (this.#sent[this.#done]?.confirmed) this.#done += 1;
    if (this.#done === before) return undefined;
    const last = this.#sent[this.#done - 1];
    if (this.#done > mostDone) {
      this.#sent.splice(0, this.#done);
      this.#done = 0;
    }
    return last?.position;
  }
}
