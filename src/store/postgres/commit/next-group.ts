import { Facts } from "../changes/facts";
import { type RunMeans, RunningGroup } from "./group-run";

type Changes = readonly (() => unknown)[];

/**
 * The changes of the next group, which run while another one is committed. If one of them reads the database, or what the other group has
 * done, they run when their turn comes.
 */
export class NextGroup {
  #ahead: { readonly group: RunningGroup; readonly first: Changes[number]; readonly slots: number } | undefined;

  /** True if changes that wait have to run after the group that is under way. */
  #isDependent = false;

  constructor(readonly means: RunMeans) {}

  /** Number of changes that have run. */
  get size(): number {
    return this.#ahead?.group.size ?? 0;
  }

  /** Called when another group is sent, which the next one follows. */
  begin(): void {
    this.#isDependent = false;
  }

  /** Runs those of the waiting changes that have not run yet. */
  runAhead(changes: Changes): void {
    const [first] = changes;
    if (!first || this.#isDependent) return;
    if (this.#ahead?.first !== first) {
      this.forget();
      this.#ahead = { group: new RunningGroup(this.means, new Facts(false)), first, slots: this.means.slots.version };
    }
    this.#ahead.group.add(changes.slice(this.size));
    if (this.#ahead.group.isKnown) return;
    // Transactions that read must not see what will not be committed like this.
    this.forget();
    this.#isDependent = true;
  }

  /** Returns the group of the changes that have run, if there are as many, and none of them has to run again. */
  takeComplete(least: number): RunningGroup | undefined {
    const ahead = this.#ahead;
    if (!ahead || ahead.group.size < least || !ahead.group.isKnown || ahead.slots !== this.means.slots.version) return undefined;
    this.#ahead = undefined;
    return ahead.group;
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
