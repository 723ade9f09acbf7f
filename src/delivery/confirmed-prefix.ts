interface Sent {
  readonly position: number;
  confirmed: boolean;
}

/** Confirms come in any order; this tells how far everything is confirmed without a gap. */
export class ConfirmedPrefix {
  readonly #sent: Sent[] = [];

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
    let confirmed = 0;
    while (this.#sent[confirmed]?.confirmed) confirmed += 1;
    const last = this.#sent[confirmed - 1];
    this.#sent.splice(0, confirmed);
    return last?.position;
  }
}
