import type { Outcome } from "../delivery/outcome";
import { Suspects } from "./suspects";

/** What a process remembers of the messages that it held when a channel closed, so that a lost connection is no death. */
export class Interrupted {
  /** Messages that this process has not settled, though it lives. */
  readonly held = new Set<string>();
  /** Messages that it has handled, but could not acknowledge any more. */
  readonly handled = new Map<string, Outcome>();
  readonly suspects = new Suspects();

  /** What is forgotten costs a needless count or a second handling, never an event. */
  forgetOldest(most: number): void {
    this.suspects.forgetOldest(most);
    for (const kept of [this.held, this.handled]) {
      for (const id of kept.keys()) {
        if (kept.size <= most) break;
        kept.delete(id);
      }
    }
  }
}
