interface Sent {
  readonly position: number;
  confirmed: boolean;
}

/** How many that are done with may be kept: to take each out by itself would move all that come after it. */
const mostDone = 1024;

/** Confirms come in any order; this tells how far everything is confirmed without a gap. */
export class ConfirmedPrefix {
  readonly #sent: Sent[] = [];
  /** How many of those, from the start on, are confirmed. */
  #done = 0;

  /** Adds the next position that was sent, and answers how to confirm it: with the new end of the prefix, if it moved. */
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
