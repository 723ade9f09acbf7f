import { type Config, readConfig } from "../../../src/config/config";
import type { LogFollower } from "../../../src/store/log-follower";
import { consumerStores, openLog } from "../../../src/store/open";
import { type ActingHistory, type Effect, type Logged, type Order, type Pot, queues } from "./history";

const batch = 1000;

interface Body {
  readonly actor?: string;
  readonly cause?: string;
  readonly depth?: number;
  readonly pot?: Pot;
  readonly order?: Order;
  readonly data?: { readonly tag?: string };
  readonly schedule?: { readonly dueAt: string };
}

/** The data that a run has stored, read while its programs work. */
export class ActingRecords {
  readonly log: Logged[] = [];
  readonly #config: Config;
  #follower: LogFollower | undefined;

  /** @param environment variables of the programs. */
  constructor(environment: Readonly<Record<string, string>>) {
    this.#config = readConfig({ isTerminal: false, listens: false, environment });
  }

  /** Reads new events. Resolves with the number of all. */
  async read(): Promise<number> {
    this.#follower ??= await openLog(this.#config);
    for (let full = this.#follower !== undefined; full; ) {
      const entries = (await this.#follower?.read(this.log.at(-1)?.position ?? 0, batch)) ?? [];
      for (const { position, id, type, subject, timestamp, body } of entries) {
        const { actor, cause, depth, pot, order, data, schedule } = JSON.parse(body) as Body;
        const dueAt = schedule && Date.parse(schedule.dueAt);
        const record = { dueAt, ...(pot && { pot: potOf(pot) }), ...(order && { order: orderOf(order) }) };
        this.log.push({
          position,
          id,
          type,
          subject: Number(subject),
          at: Date.parse(timestamp),
          actor,
          cause,
          depth,
          ...record,
          tag: data?.tag,
        });
      }
      full = entries.length === batch;
    }
    return this.log.length;
  }

  /** Resolves with the position of the last event. */
  async end(): Promise<number> {
    await this.read();
    return this.log.at(-1)?.position ?? 0;
  }

  /** Returns whether the schedule has an event for a time or a later one. */
  hasTick(time: number): boolean {
    return this.log.some(({ dueAt = 0 }) => dueAt >= time);
  }

  /** Returns the number of events that have not led to what they should lead to. */
  missing(effects: readonly Effect[]): number {
    const done = new Set(this.log.filter(({ actor }) => actor !== undefined).map(({ actor, cause }) => `${actor} ${cause}`));
    const rows = new Set(effects.map(({ id }) => id));
    const isMissing = (queue: string, { id }: Logged) => !done.has(`consumer:${queue} ${id}`);
    const created = this.log.filter(({ type }) => type === "order.created");
    return [
      ...created.filter((event) => isMissing(queues.once, event) || !rows.has(event.id)),
      ...this.log.filter((event) => event.dueAt !== undefined && isMissing(queues.ticks, event)),
      ...this.log.filter((event) => /^order\.(created|reminded)$/.test(event.type) && isMissing(queues.plain, event)),
    ].length;
  }

  /** Reads the own table of the consumer with effects exactly once. */
  async effects(): Promise<Effect[]> {
    const stores = consumerStores(this.#config);
    try {
      const tables = await stores.tables(queues.once);
      try {
        return tables && (await tables.has("effects")) ? await tables.all<Effect>("SELECT * FROM effects") : [];
      } finally {
        await tables?.close();
      }
    } finally {
      await stores.close();
    }
  }

  close(): void {
    this.#follower?.close();
  }
}

/** Reads all records and the timers through the API. */
export async function readStored(url: string): Promise<Pick<ActingHistory, "pots" | "orders" | "waiting">> {
  return {
    pots: (await listOf<Pot>(url, "pots")).map(potOf),
    orders: (await listOf<Order>(url, "orders")).map(orderOf),
    waiting: await timersAt(url),
  };
}

/** Resolves with the number of timers that wait, up to 200. */
export async function timersAt(url: string): Promise<number> {
  const { timers } = await pageOf<{ timers: unknown[] }>(`${url}/timers?limit=200`);
  return timers.length;
}

async function listOf<Row>(url: string, plural: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (let after: string | null = ""; after !== null; ) {
    const page: Record<string, unknown> = await pageOf(`${url}/${plural}?limit=200${after && `&after=${after}`}`);
    rows.push(...(page[plural] as Row[]));
    after = page["next"] as string | null;
  }
  return rows;
}

async function pageOf<Page>(url: string): Promise<Page> {
  return (await (await fetch(url, { keepalive: false })).json()) as Page;
}

// The same keys in the same order, however they were read.
const potOf = ({ id, version, balance, reminded, counted, ticked }: Pot): Pot => ({ id, version, balance, reminded, counted, ticked });
const orderOf = ({ id, version, pot, amount, mark, state, note }: Order): Order => ({ id, version, pot, amount, mark, state, note });
