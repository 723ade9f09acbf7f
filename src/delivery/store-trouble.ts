/** Whether the store of a consumer can be used. Its health says so. */
export class StoreTrouble {
  #why: string | undefined;

  /** Why the store cannot be used. Undefined if it can, as far as is known. */
  get why(): string | undefined {
    return this.#why;
  }

  /** Notes that it cannot be used. Returns whether that is news. */
  begin(why: string): boolean {
    const isNew = this.#why !== why;
    this.#why = why;
    return isNew;
  }

  /** Notes that it has been used. */
  end(): void {
    this.#why = undefined;
  }
}
