import { firstLineOf, groupOf } from "./dead-group";
import type { DeadLetter, DeadLetters, DeadSelection } from "./dead-letters";

/** Dead letters with the same error. */
export interface DeadGroup {
  /** Identifies the group in selections. */
  readonly group: string;
  /** First line of the error of the newest one. */
  readonly error: string;
  readonly reason: string;
  readonly count: number;
  /** Event types, up to ten. */
  readonly types: string[];
  readonly firstFailure: string | null;
  readonly lastFailure: string | null;
  /** Event id of the newest one. */
  readonly newest: string;
}

/** The groups of a queue's dead letters. */
export interface DeadGroupList {
  /** The 100 largest ones, the largest first. */
  groups: DeadGroup[];
  /** Number of dead letters in all groups. */
  readonly matched: number;
  /** Number of dead letters that were searched, the oldest 10,000. */
  readonly looked: number;
  /** False if there are more than were searched. */
  readonly complete: boolean;
  /** Bound of the dead letters that are there now. See `DeadSelection.upTo`. */
  readonly upTo: number;
}

const mostTypes = 10;
const mostSearched = 10_000;
const mostGroups = 100;

/** Groups the selected ones of a queue's dead letters by error, in one pass. Rejects as {@link DeadLetters} does. */
export async function deadGroupsOf(deadLetters: DeadLetters, queue: string, selection: DeadSelection): Promise<DeadGroupList> {
  const groups = new DeadGroups();
  const { looked, isComplete, upTo } = await deadLetters.scan(queue, selection, mostSearched, (letter) => groups.add(letter));
  return { groups: groups.largest(mostGroups), matched: groups.count, looked, complete: isComplete, upTo };
}

/** Groups dead letters, which are added oldest first. */
export class DeadGroups {
  readonly #groups = new Map<string, DeadGroup>();
  #count = 0;

  /** Number of dead letters in all groups. */
  get count(): number {
    return this.#count;
  }

  add(letter: DeadLetter): void {
    this.#count += 1;
    const key = groupOf(letter);
    const known = this.#groups.get(key);
    const types = known?.types ?? [];
    const isNew = letter.type !== null && types.length < mostTypes && !types.includes(letter.type);
    this.#groups.set(key, {
      group: key,
      error: firstLineOf(letter.error),
      reason: letter.reason,
      count: (known?.count ?? 0) + 1,
      types: isNew ? [...types, letter.type as string] : types,
      firstFailure: earlier(known?.firstFailure ?? null, letter.firstFailure ?? letter.lastFailure),
      lastFailure: later(known?.lastFailure ?? null, letter.lastFailure),
      newest: letter.id,
    });
  }

  /** Returns the largest groups, the largest one first. */
  largest(most: number): DeadGroup[] {
    return [...this.#groups.values()].sort((one, other) => other.count - one.count).slice(0, most);
  }
}

function earlier(one: string | null, other: string | null): string | null {
  return one === null || (other !== null && other < one) ? other : one;
}

function later(one: string | null, other: string | null): string | null {
  return one === null || (other !== null && other > one) ? other : one;
}
