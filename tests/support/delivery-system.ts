// The service with one consumer that can be killed at an exact point, without the cost of a separate process.

import { Reject, RetryAfter } from "warren/consumer";
import { type Config, readConfig } from "../../src/config/config";
import { startConsumer } from "../../src/consumer/start";
import type { RunningConsumer } from "../../src/delivery/running";
import { item } from "../../src/domain/item";
import { withStore } from "../../src/embedded/queue-store";
import { type Engine, startEngine } from "../../src/engine/engine";
import { loadCatalogue } from "../../src/project/resources";
import { Broker } from "../../src/rabbitmq/connection";
import { queueDepth } from "../../src/rabbitmq/topology";
import type { ConsumerStores } from "../../src/store/consumer/stores";
import type { Transaction } from "../../src/store/consumer/transaction";
import type { LogEntry } from "../../src/store/log";
import { consumerStores } from "../../src/store/open";
import { type DeliveryData, type LivesData, postgresData, sqliteData } from "./delivery-data";
import type { Fault, Observed } from "./delivery-model";
import type { ItemConsumer, ItemEvent } from "./item-events";
import type { PostgresCluster } from "./postgres-cluster";
import { eventually } from "./processes";
import { recordedLog } from "./recorded-log";
import { type Severable, severable } from "./severable";

export interface Setting {
  readonly exactlyOnce: boolean;
  readonly concurrency: number;
  readonly events: readonly ("item.created" | "item.updated" | "item.deleted")[] | undefined;
}

/** Moment of death: `idle` is at once, `during` is in a handler, `after` is after a handler and before its event is settled. */
export type Moment = "idle" | "during" | "after";

/** One run of the consumer. */
interface Life {
  running: RunningConsumer;
  /** Number of handler calls per event. */
  readonly begun: Map<string, number>;
  readonly way: Severable | undefined;
  readonly data: LivesData;
  trap: Moment;
  isDead: boolean;
  readonly died: PromiseWithResolvers<void>;
}

const retry = { attempts: 3, firstDelayMs: 20, factor: 2, longestDelayMs: 100 };
/** Delays from the policy's jitter, and the one that RetryAfter(1) is rounded to. */
const retryDelaysMs = [15, 20, 25, 30, 40, 50, 100];
/** Name of the items whose events mark that everything before them was handled. */
const markerName = "marker";
/** A process that died keeps its lanes of a queue for three seconds on PostgreSQL. */
const patienceMs = 20_000;
let systems = 0;

/** The servers that a system uses. */
export interface DeliveryServers {
  /** Default: the log carries the events. */
  readonly rabbitmqUrl?: string;
  /** Default: the data is in SQLite files. */
  readonly postgres?: PostgresCluster;
}

export class DeliverySystem {
  readonly faults = new Map<number, Fault>();
  /** Number of successful handler calls per event, for a consumer without `exactlyOnce`. */
  readonly #calls = new Map<string, number>();
  readonly #markers = new Set<number>();
  #logPosition = 0;
  #life: Life | undefined;
  readonly #queue = `model-${systems++}`;
  readonly #data: DeliveryData;
  readonly #recorded = recordedLog();

  private constructor(
    readonly setting: Setting,
    readonly servers: DeliveryServers,
  ) {
    this.#data = servers.postgres ? postgresData(servers.postgres) : sqliteData(this.#queue);
  }

  #config!: Config;
  #stores!: ConsumerStores;
  #engine!: Engine;
  #broker: Broker | undefined;

  static async start(setting: Setting, servers: DeliveryServers): Promise<DeliverySystem> {
    const system = new DeliverySystem(setting, servers);
    system.#config = configWith(system.#data.environment, servers.rabbitmqUrl);
    system.#stores = consumerStores(system.#config);
    system.#engine = await startEngine(system.#config, await loadCatalogue(), system.#recorded.log);
    if (system.#config.rabbitmq) system.#broker = await Broker.connect(system.#config.rabbitmq, system.#recorded.log);
    await system.startConsumer();
    return system;
  }

  async stop(): Promise<void> {
    await this.stopConsumer();
    await this.#broker?.close();
    await this.#engine.stop();
    await this.#stores.close();
    await this.#data.remove();
  }

  async startConsumer(): Promise<void> {
    const { rabbitmqUrl } = this.servers;
    const way = rabbitmqUrl === undefined ? undefined : await severable(rabbitmqUrl);
    const data = await this.#data.open();
    const ready = Promise.withResolvers<void>();
    const life: Omit<Life, "running"> = { begun: new Map(), way, data, trap: "idle", isDead: false, died: Promise.withResolvers() };
    const running = await startConsumer(
      this.#options(life as Life, () => ready.resolve()),
      configWith(data.environment, way?.url),
      this.#recorded.log,
    );
    this.#life = Object.assign(life, { running });
    await Promise.race([ready.promise, running.ended]);
  }

  async stopConsumer(): Promise<void> {
    const life = this.#life;
    this.#life = undefined;
    await life?.running.stop();
    life?.way?.cut();
    life?.data.close();
  }

  #options(life: Life, onReady: () => void): ItemConsumer {
    const { exactlyOnce, concurrency, events } = this.setting;
    // Other tests cover the breaker and repeated deaths on one event.
    const common = { queue: this.#queue, events, retry, breaker: { minimum: 1_000_000 }, maxDeaths: 1000, onReady };
    if (exactlyOnce) {
      return {
        ...common,
        exactlyOnce,
        setup: (tx) => tx.run("CREATE TABLE IF NOT EXISTS effects (event TEXT NOT NULL)"),
        handle: (event, { attempt, tx }) => this.#handle(life, event, attempt, tx),
      };
    }
    return {
      ...common,
      concurrency,
      handle: async (event, { attempt }) => {
        await new Promise(setImmediate);
        await this.#handle(life, event, attempt);
      },
    };
  }

  async #handle(life: Life, event: ItemEvent, attempt: number, tx?: Transaction): Promise<void> {
    if (life.isDead) throw new Error("This process is dead");
    if (event.item.name === markerName) {
      this.#markers.add(event.item.id);
      return;
    }
    life.begun.set(event.id, (life.begun.get(event.id) ?? 0) + 1);
    // The effect comes before the failure, to show that the transaction is rolled back.
    if (tx) await tx.run("INSERT INTO effects VALUES (?)", event.id);
    if (life.trap === "during") {
      this.#die(life);
      throw new Error("This process is dead");
    }
    const fault = this.faults.get(event.item.id);
    if (fault === "error") throw new Error("out of order");
    if (fault === "reject") throw new Reject("unwanted");
    if (fault === "late" && attempt === 1) throw new RetryAfter(1);
    if (!tx) this.#calls.set(event.id, (this.#calls.get(event.id) ?? 0) + 1);
  }

  /** From here on, only the data on disk and the messages already sent remain of the process. */
  #die(life: Life): void {
    if (life.isDead) return;
    life.isDead = true;
    life.way?.cut();
    life.data.die();
    life.died.resolve();
  }

  /** Makes it die when a handler has ended and its transaction is committed, before the event is settled. */
  #dieAfterHandler(life: Life): void {
    const { tally } = life.running.worker;
    const { handler } = tally;
    tally.handler = (...values) => {
      handler.apply(tally, values);
      this.#die(life);
    };
  }

  /** Returns how often the dead consumer had begun each event, and the subject of the event published to kill it. */
  async crash(moment: Moment): Promise<{ begun: ReadonlyMap<string, number>; subject: number | undefined }> {
    const life = this.#living();
    let subject: number | undefined;
    if (moment === "idle") this.#die(life);
    else {
      life.trap = moment;
      if (moment === "after") this.#dieAfterHandler(life);
      subject = await this.insert();
      await within(life.died.promise, "the consumer to die");
    }
    this.#life = undefined;
    // It runs on for a while without a connection; its later writes are undone.
    await life.running.stop();
    await life.running.ended;
    await life.data.bury();
    return { begun: life.begun, subject };
  }

  #living(): Life {
    if (!this.#life) throw new Error("The consumer does not run.");
    return this.#life;
  }

  async insert(name = "thing"): Promise<number> {
    return (await this.#engine.dependencies.system.insert(item, { name, description: null, price: null })).id;
  }
  async update(id: number): Promise<void> {
    const { system: store } = this.#engine.dependencies;
    await store.update(item, id, ({ name, description, price }) => ({ name, description, price: (price ?? 0) + 1 }));
  }
  async remove(id: number): Promise<void> {
    await this.#engine.dependencies.system.remove(item, id);
  }

  /** Returns events that this consumer wants and that were not returned before. */
  async newEvents(): Promise<LogEntry[]> {
    const entries = await this.#engine.dependencies.system.log.read(this.#logPosition, 1000);
    this.#logPosition = entries.at(-1)?.position ?? this.#logPosition;
    const wanted = entries.filter(({ type, body }) => {
      const { events } = this.setting;
      return (JSON.parse(body) as ItemEvent).item.name !== markerName && (!events || (events as readonly string[]).includes(type));
    });
    return wanted;
  }

  redrive(): Promise<number> {
    return this.#engine.dependencies.deadLetters.redrive(this.#queue, {});
  }
  discard(): Promise<number> {
    return this.#engine.dependencies.deadLetters.discard(this.#queue, {});
  }
  async replay(force: boolean): Promise<void> {
    const everything = { types: null, subject: null, from: null, to: null, rate: null };
    await this.#engine.dependencies.replays.start(this.#queue, { ...everything, force });
  }

  /** Resolves when the consumer is idle. */
  async settle(): Promise<void> {
    await eventually(async () => ((await this.#replaysDone()) ? true : undefined), "the replays", patienceMs);
    const deadline = performance.now() + patienceMs;
    // Check several times: a message leaving a retry queue is in neither queue for a moment.
    for (let quiet = 0; quiet < 3; ) {
      if (performance.now() > deadline) throw new Error("The consumer does not come to rest.");
      const before = this.#done();
      const waitsBefore = await this.#waiting();
      await this.#mark();
      const isQuiet = waitsBefore === 0 && (await this.#waiting()) === 0 && this.#done() === before + 1;
      quiet = isQuiet ? quiet + 1 : 0;
    }
  }

  async #replaysDone(): Promise<boolean> {
    const replays = await this.#engine.dependencies.replays.list(1000);
    return replays.every(({ queue, state }) => queue !== this.#queue || state === "finished");
  }

  /** Sends an event after all others, and waits until it is handled. */
  async #mark(): Promise<void> {
    const before = this.#done();
    const id = await this.insert(markerName);
    const deadline = performance.now() + patienceMs;
    while (!(this.#markers.has(id) && this.#done() > before)) {
      if (performance.now() > deadline) throw new Error("The consumer takes no events any more.");
      await Bun.sleep(1);
    }
  }

  #done(): number {
    const { handled, duplicates, skipped, retried, deadLettered } = this.#living().running.counts;
    return handled + duplicates + skipped + retried + deadLettered;
  }

  /** Returns the number of events waiting for the handler, in the handler, or in transit to another queue. */
  async #waiting(): Promise<number> {
    const broker = this.#broker;
    if (!broker) return withStore(this.#stores, this.#queue, ({ waiting }) => waiting.count());
    const queues = [this.#queue, ...retryDelaysMs.map((ms) => `${this.#queue}.retry.${ms}`)];
    const depths = await Promise.all(queues.map((queue) => queueDepth(broker, queue)));
    return depths.reduce<number>((sum, depth) => sum + (depth ?? 0), this.#living().way?.held.count ?? 0);
  }

  async observe(): Promise<Map<string, Observed>> {
    const { deadLetters } = await this.#engine.dependencies.deadLetters.list(this.#queue, {}, 0, 10_000);
    const handled = this.setting.exactlyOnce ? await this.#effects() : this.#calls;
    const ids = new Set([...handled.keys(), ...(this.#life?.begun.keys() ?? []), ...deadLetters.map(({ id }) => id)]);
    return new Map(
      [...ids].map((id) => {
        const dead = deadLetters.filter((letter) => letter.id === id).map(({ reason }) => reason);
        return [id, { handled: handled.get(id) ?? 0, dead }];
      }),
    );
  }

  async #effects(): Promise<Map<string, number>> {
    const rows = await withStore(this.#stores, this.#queue, ({ transaction }) =>
      transaction.all<{ event: string; count: number }>("SELECT event, count(*) AS count FROM effects GROUP BY event"),
    );
    return new Map(rows.map(({ event, count }) => [event, count]));
  }
}

function configWith(environment: Readonly<Record<string, string>>, rabbitmqUrl = "none"): Config {
  return readConfig({ isTerminal: false, environment: { ...environment, RABBITMQ_URL: rabbitmqUrl } });
}

async function within(promise: Promise<void>, what: string): Promise<void> {
  const timer = Promise.withResolvers<never>();
  const timeout = setTimeout(() => timer.reject(new Error(`Waited ${patienceMs} ms in vain for ${what}.`)), patienceMs);
  await Promise.race([promise, timer.promise]).finally(() => clearTimeout(timeout));
}
