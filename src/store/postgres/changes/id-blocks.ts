import type { Queries } from "../connection/queries";

/** Number of ids in a block. The sequence of each resource counts in these steps. */
export const blockSize = 100;

/** Draws blocks from a resource's sequence. Resolves with their first ids. */
export async function drawBlocks({ query }: Queries, plural: string, blocks: number, lock: string): Promise<number[]> {
  const draw = `SELECT nextval('"${idSequence(plural)}"') AS first FROM pg_advisory_xact_lock_shared($1::bigint), generate_series(1, $2::int4)`;
  return (await query<{ first: number }>(draw, lock, blocks)).map(({ first }) => first);
}

/** Gives ids back that nobody will use, unless others were drawn since. The next process goes on with them. */
export async function returnIds({ query }: Queries, plural: string, { rest }: IdBlocks, lock: string): Promise<void> {
  if (!rest) return;
  const giveBack = "SELECT warren_return_ids($1::bigint, $2::text::regclass, $3, $4)";
  await query(giveBack, lock, `"${idSequence(plural)}"`, rest.first, rest.next);
}

/** Returns the name of the sequence from which a resource's blocks come. */
export function idSequence(plural: string): string {
  return `${plural}.ids`;
}

/** One for all: a stack for each would cost more than the id. */
const noneDrawn = new Error("No ids are drawn yet");

/** For how many groups of changes to draw ids at a time: the group that needs new ones waits for them. */
const groupsPerDraw = 20;
/** Maximum number of ids that are kept for transactions. */
const mostReserved = 10_000;

/** Ids for new records of a resource. A process draws them in blocks from a sequence, so that no other process gets them. */
export class IdBlocks {
  /** Ascending. */
  #free: number[] = [];
  /** Ids that transactions have taken. */
  readonly #reserved = new Set<number>();
  /** Number of blocks to draw now. 0: none. */
  #wanted = 0;
  #nextWanted = 1;
  /** The last id of all blocks. */
  #end = 0;

  get wanted(): number {
    return this.#wanted;
  }

  /**
   * Returns the first free id after another one. It stays free until {@link use}.
   *
   * @throws {Error} if a block is {@link wanted} first. The change has to run again.
   */
  next(after: number): number {
    const id = this.#free[this.#indexAfter(after)];
    if (id !== undefined) return id;
    this.#wanted = this.#nextWanted;
    throw noneDrawn;
  }

  /** Like {@link next}, but nobody else gets the id. */
  reserve(after: number): number {
    const id = this.next(after);
    this.#free.splice(this.#indexAfter(after), 1);
    if (this.#reserved.size === mostReserved) for (const first of this.#reserved.values().take(1)) this.#reserved.delete(first);
    this.#reserved.add(id);
    return id;
  }

  /** Returns whether this process has drawn an id and not used it. */
  isDrawn(id: number): boolean {
    return this.#reserved.has(id) || this.#free[this.#indexAfter(id - 1)] === id;
  }

  /** Adds blocks. A run that needs still more gets twice as many. */
  add(firstIds: readonly number[]): void {
    const drawn = firstIds.flatMap((first) => Array.from({ length: blockSize }, (_, index) => first + index));
    this.#end = Math.max(this.#end, drawn.at(-1) ?? 0);
    this.#free = [...this.#free, ...drawn].sort((a, b) => a - b);
    this.#wanted = 0;
    this.#nextWanted = Math.max(this.#nextWanted, firstIds.length * 2);
  }

  /** Removes ids that new records have got, and the free ones before them, so that ids ascend. */
  use(ids: readonly number[]): void {
    const fromBlocks = ids.filter((id) => !this.#reserved.delete(id));
    this.#free = this.#free.slice(this.#indexAfter(Math.max(0, ...fromBlocks)));
    this.#nextWanted = Math.max(1, Math.ceil((groupsPerDraw * ids.length) / blockSize));
  }

  /** Drops ids up to one that was imported: a record may have had them. */
  raise(floor: number): void {
    this.#free = this.#free.slice(this.#indexAfter(floor));
    for (const id of this.#reserved) if (id <= floor) this.#reserved.delete(id);
  }

  /** Returns the free ids after the last one that was used, if they reach to the end of the last block: the first, and that after the last. */
  get rest(): { readonly first: number; readonly next: number } | undefined {
    const last = this.#free.at(-1) ?? 0;
    let first = this.#free.length - 1;
    while (first > 0 && this.#free[first - 1] === (this.#free[first] as number) - 1) first -= 1;
    return last > 0 && last === this.#end ? { first: this.#free[first] as number, next: last + 1 } : undefined;
  }

  /** Binary search: returns the index of the first free id after another one. */
  #indexAfter(id: number): number {
    let [low, high] = [0, this.#free.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#free[middle] as number) <= id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
