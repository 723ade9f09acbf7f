import { send } from "./processes";

export interface LoadOptions {
  /** Returns the URL of the records, such as `http://127.0.0.1:3000/items`. It may change after a restart. */
  readonly url: () => string;
  /** Number of writers, each of which changes a record of its own. */
  readonly writers: number;
  /** Pause of each writer after each change, in milliseconds. */
  readonly pauseMs: number;
  /** True to send a change again that got no answer, until the API is back. Default: false. */
  readonly isPatient?: boolean;
}

/** Writers that change records and remember what was accepted. The name of a record counts its changes. */
export class Load {
  /** Number of accepted changes by the id of the record. */
  readonly accepted = new Map<number, number>();
  /** Statuses that ended a writer; 0 if there was no answer. */
  readonly refusals: number[] = [];
  #stopping = false;
  readonly #writers: Promise<void>[];

  constructor(readonly options: LoadOptions) {
    this.#writers = Array.from({ length: options.writers }, () => this.#write());
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
    const created = await this.#send("POST", "", "1");
    if (created?.status !== 201) return this.#refused(created);
    const { id } = (await created.json()) as { id: number };
    for (let change = 1; ; change += 1) {
      this.accepted.set(id, change);
      if (this.#stopping) return;
      await Bun.sleep(this.options.pauseMs);
      const answer = await this.#send("PATCH", `/${id}`, String(change + 1));
      if (answer?.status !== 200) return this.#refused(answer);
    }
  }

  async #send(method: string, path: string, name: string): Promise<Response | undefined> {
    for (;;) {
      const answer = await send(method, `${this.options.url()}${path}`, { name }).catch(() => undefined);
      if (answer || !this.options.isPatient) return answer;
      await Bun.sleep(this.options.pauseMs);
    }
  }

  #refused(answer: Response | undefined): void {
    this.refusals.push(answer?.status ?? 0);
  }
}

/**
 * Returns what the lines of a logger lack or have in the wrong order, compared with a load. Repetitions are not counted.
 *
 * @param mostLate Number of changes that may come after a later one of their record. Default: none.
 */
export function faultsIn(lines: readonly string[], load: Load, mostLate = 0): string[] {
  const latest = new Map<number, number>();
  const came = new Set<string>();
  const late: string[] = [];
  for (const line of lines) {
    const [, id, name] = /^\[(?:CREATED|UPDATED)\] \w+ ID: (\d+), Name: (\d+)/.exec(line) ?? [];
    if (id === undefined) continue;
    const [record, change, before] = [Number(id), Number(name), latest.get(Number(id)) ?? 0];
    if (change < before && !came.has(`${record} ${change}`)) late.push(`record ${record}: change ${change} came after ${before}`);
    latest.set(record, Math.max(before, change));
    came.add(`${record} ${change}`);
  }
  const faults = late.length > mostLate ? late : [];
  for (const [record, changes] of load.accepted)
    for (let change = 1; change <= changes; change += 1)
      if (!came.has(`${record} ${change}`)) faults.push(`record ${record}: change ${change} of ${changes} did not come`);
  return faults;
}
