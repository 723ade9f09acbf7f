import { send } from "./processes";

/** Writers that change items, each one its own, and remember what was accepted. The name of an item counts its changes. */
export class ItemLoad {
  /** Number of accepted changes by the id of the item. */
  readonly accepted = new Map<number, number>();
  /** Statuses that ended a writer; 0 if there was no answer. */
  readonly refusals: number[] = [];
  #stopping = false;
  readonly #writers: Promise<void>[] = [];

  /** @param pauseMs Pause of each writer after each change. */
  constructor(
    readonly url: () => string,
    writers: number,
    readonly pauseMs = 5,
  ) {
    for (let writer = 0; writer < writers; writer += 1) this.#writers.push(this.#write());
  }

  get total(): number {
    return [...this.accepted.values()].reduce((sum, changes) => sum + changes, 0);
  }

  /** Ends the writers after the change that each is making. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#writers);
  }

  async #write(): Promise<void> {
    const created = await send("POST", `${this.url()}/items`, { name: "1" });
    const { id } = (await created.json()) as { id: number };
    for (let change = 1; ; change += 1) {
      this.accepted.set(id, change);
      if (this.#stopping) return;
      await Bun.sleep(this.pauseMs);
      const answer = await send("PATCH", `${this.url()}/items/${id}`, { name: String(change + 1) }).catch(() => undefined);
      if (answer?.status === 200) continue;
      this.refusals.push(answer?.status ?? 0);
      return;
    }
  }
}

/** Returns what the lines of a logger lack or have in the wrong order, compared with a load. Repetitions are not counted. */
export function faultsIn(lines: readonly string[], load: ItemLoad): string[] {
  const seen = new Map<number, number>();
  const faults: string[] = [];
  for (const line of lines) {
    const [, id, name] = /^\[(?:CREATED|UPDATED)\] Item ID: (\d+), Name: (\d+)/.exec(line) ?? [];
    if (id === undefined) continue;
    const [item, change, before] = [Number(id), Number(name), seen.get(Number(id)) ?? 0];
    if (change > before + 1) faults.push(`item ${item}: change ${change} came after ${before}`);
    seen.set(item, Math.max(before, change));
  }
  for (const [item, changes] of load.accepted) {
    if (seen.get(item) !== changes) faults.push(`item ${item}: the last of ${changes} changes that came is ${seen.get(item)}`);
  }
  return faults;
}
