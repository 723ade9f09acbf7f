import { Overlay } from "../../changes/overlay";
import type { Effect } from "./effects";
import type { Facts } from "./facts";

/** The state that changes work on: what is known of the database, and what uncommitted changes do to it. */
export class Workspace {
  /** Other processes may change what an earlier batch has written before a change that reads it is committed. */
  readonly overlay = new Overlay<Effect>(() => this.facts.inherit());
  #facts: Facts | undefined;

  /** The facts that the running changes know. */
  get facts(): Facts {
    if (!this.#facts) throw new Error("The store was read outside of a change.");
    return this.#facts;
  }

  /** Runs synchronous work that reads these facts. */
  with<T>(facts: Facts, work: () => T): T {
    const outer = this.#facts;
    this.#facts = facts;
    try {
      return work();
    } finally {
      this.#facts = outer;
    }
  }
}
