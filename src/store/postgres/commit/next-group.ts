import { Facts } from "../changes/facts";
import { type RunMeans, RunningGroup } from "./group-run";

type Changes = readonly (() => unknown)[];

/**
 * The changes of the next group, which run while another one is committed. Those that read the database, or what the other group has
 * done, run again when their turn comes.
 */
export class NextGroup {
  #ahead: { readonly group: RunningGroup; readonly first: Changes[number]; readonly slots: number } | undefined;

  constructor(readonly means: RunMeans) {}

  /** Number of changes that have run. */
  get size(): number {
    return this.#ahead?.group.size ?? 0;
  }

  /** Runs those of the waiting changes that have not run yet. */
  runAhead(changes: Changes): void {
    const [first] = changes;
    if (!first) return;
    if (this.#ahead?.first !== first) {
      this.forget();
      this.#ahead = { group: new RunningGroup(this.means, new Facts(false)), first, slots: this.means.slots.version };
    }
    this.#ahead.group.add(changes.slice(this.size));
  }

  /** Returns the group of these changes, all of which have run then. Returns undefined if none has run ahead. */
  take(changes: Changes): RunningGroup | undefined {
    const ahead = this.#ahead;
    if (!ahead || ahead.first !== changes[0] || ahead.slots !== this.means.slots.version) {
      this.forget();
      return undefined;
    }
    this.#ahead = undefined;
    ahead.group.add(changes.slice(ahead.group.size));
    return ahead.group;
  }

  /** Forgets what has run ahead. */
  forget(): void {
    this.#ahead?.group.forget();
    this.#ahead = undefined;
  }
}
