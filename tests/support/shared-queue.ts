// Several processes of one queue on PostgreSQL, without an API: the test itself writes the events of depots.
import { existsSync, readFileSync } from "node:fs";
import { Replays } from "../../src/delivery/replays";
import { EmbeddedReplays } from "../../src/embedded/replays";
import { PostgresConsumerStores } from "../../src/store/postgres/consumer/stores";
import { openPostgresStore } from "../../src/store/postgres/store";
import type { Store } from "../../src/store/store";
import { temporaryFolder } from "./folder";
import { depot } from "./parcels";
import type { PostgresSchema } from "./postgres";
import { eventually, preloading, type Running, run } from "./processes";

export const depotQueue = "depots";

/** The trace that a handler leaves of an event. */
export interface Effect {
  readonly event: string;
  readonly depot: number;
  readonly version: number;
  readonly process: number;
}

/** Returns what a test has to know of an event of a depot. */
export function effectOf(event: unknown): { id: string; depot: number; version: number } {
  const { id, depot } = event as { id: string; depot: { id: number; version: number } };
  return { id, depot: depot.id, version: depot.version };
}

/** A process of the queue. */
export interface QueueProcess extends Running {
  /** Its name among the holders of lanes. */
  readonly holder: string;
}

interface StartOptions {
  /** Address to reach the database through a proxy. Default: its own. */
  readonly url?: string;
  /** File of the project to load first. Default: none. */
  readonly preload?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

/** A queue that processes share, and the records whose events are on it. */
export class SharedQueue {
  readonly processes: QueueProcess[] = [];
  readonly #folder = temporaryFolder();
  readonly #own: string;
  #depots: number[] = [];

  private constructor(
    readonly schema: PostgresSchema,
    readonly effects: "once" | "at least once",
    readonly store: Store,
    readonly stores: PostgresConsumerStores,
  ) {
    this.#own = `"${schema.name}.${depotQueue}"`;
  }

  static async on(schema: PostgresSchema, effects: "once" | "at least once"): Promise<SharedQueue> {
    const store = await openPostgresStore(schema.address, [depot]);
    return new SharedQueue(schema, effects, store, new PostgresConsumerStores(schema.address));
  }

  async close(): Promise<void> {
    await this.stores.close();
    await this.store.close();
    this.#folder.remove();
  }

  /** Starts a process. Resolves when it has lanes. */
  async start({ url = this.schema.url, preload, env = {} }: StartOptions = {}): Promise<QueueProcess> {
    const effects = { EFFECTS: this.effects === "once" ? "once" : "", RECORD: this.#record };
    const program = run([...preloading(preload), "tests/support/depot-consumer.ts"], {
      env: { DATABASE_URL: url, RABBITMQ_URL: "none", LOG_LEVEL: "warn", ...effects, ...env },
    });
    await program.lines(/^ready$/, 1, 60_000);
    const isOwn = (holder: string | null) => holder?.startsWith(`warren ${program.pid} `);
    const holder = await eventually(async () => (await this.#holders()).find(isOwn) ?? undefined, "the process to have lanes");
    const started: QueueProcess = { ...program, holder };
    this.processes.push(started);
    return started;
  }

  /** Creates depots. Their events follow each other as those of {@link change} do. */
  async create(count: number): Promise<void> {
    const created = await Promise.all(Array.from({ length: count }, (_, n) => this.store.insert(depot, { city: `city ${n}` })));
    this.#depots = [...this.#depots, ...created.map(({ id }) => id)];
  }

  /** Changes each depot some times. */
  async change(times: number): Promise<void> {
    for (let time = 0; time < times; time += 1)
      await Promise.all(this.#depots.map((id) => this.store.update(depot, id, ({ city }) => ({ city: `${city}.` }))));
  }

  /** Starts a replay of all events. Resolves when it has finished. */
  async replay(): Promise<void> {
    const replays = new Replays(new EmbeddedReplays({ ...this.store.log, logId: this.store.logId }, this.stores));
    const all = { types: null, subject: null, from: null, to: null, rate: null, force: false };
    const { id } = await replays.start(depotQueue, all);
    await eventually(async () => ((await replays.get(id))?.state === "finished" ? true : undefined), "the replay", 60_000);
  }

  /** Resolves with the number of lanes of each process. */
  async shares(): Promise<number[]> {
    const holders = await this.#holders();
    return this.processes.map(({ holder }) => holders.filter((each) => each === holder).length);
  }

  /** Resolves when these processes have the lanes, and each its share. */
  async shared(...processes: readonly QueueProcess[]): Promise<void> {
    const living = processes.map(({ holder }) => holder);
    await eventually(
      async () => {
        const holders = await this.#holders();
        const counts = living.map((holder) => holders.filter((each) => each === holder).length);
        const isShared = holders.every((holder) => holder !== null && living.includes(holder));
        return (isShared && Math.max(...counts) - Math.min(...counts) <= 1) || undefined;
      },
      "the processes to share the lanes",
      60_000,
    );
  }

  /** Resolves when all events are settled. */
  async settled(): Promise<void> {
    const end = await this.store.log.end();
    await eventually(async () => (Math.min(...(await this.positions())) >= end ? true : undefined), "all events to be settled", 60_000);
  }

  /** Resolves with the stored position of each lane. */
  async positions(): Promise<number[]> {
    const rows = await this.schema.evaluate<{ position: number }>(
      `SELECT position::int FROM ${this.#own}.warren_progress WHERE source = '${this.store.logId}' ORDER BY lane`,
    );
    return rows.map(({ position }) => position);
  }

  /** Resolves with what was done, in the order in which it was done for each record. */
  async done(): Promise<Effect[]> {
    if (this.effects === "once") {
      const rows = await this.schema.evaluate<Record<keyof Effect, string>>(`SELECT * FROM ${this.#own}.effects ORDER BY number`);
      return rows.map(({ event, ...row }) => ({
        event,
        depot: Number(row.depot),
        version: Number(row.version),
        process: Number(row.process),
      }));
    }
    if (!existsSync(this.#record)) return [];
    const lines = readFileSync(this.#record, "utf8").split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Effect);
  }

  /** Resolves with the numbers of events that were lost, done again, and done for the first time after a later one of their record. */
  async faults(): Promise<{ lost: number; repeated: number; outOfOrder: number }> {
    const done = await this.done();
    const [newest, seen] = [new Map<number, number>(), new Set<string>()];
    let outOfOrder = 0;
    for (const { event, depot, version } of done) {
      if (seen.has(event)) continue;
      seen.add(event);
      if (version < (newest.get(depot) ?? 0)) outOfOrder += 1;
      newest.set(depot, Math.max(version, newest.get(depot) ?? 0));
    }
    const [row] = await this.schema.evaluate<{ events: number }>("SELECT count(*)::int AS events FROM events");
    return { lost: (row?.events ?? 0) - seen.size, repeated: done.length - seen.size, outOfOrder };
  }

  get #record(): string {
    return `${this.#folder.path}/effects`;
  }

  async #holders(): Promise<(string | null)[]> {
    const rows = await this.schema
      .evaluate<{ holder: string | null }>(`SELECT holder FROM ${this.#own}.warren_lanes ORDER BY lane`)
      .catch(() => []);
    return rows.map(({ holder }) => holder);
  }
}
