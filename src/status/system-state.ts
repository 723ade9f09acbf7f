import type { Config } from "../config/config";
import type { BrokerState } from "../delivery/broker-state";
import { type TimerState, timerState } from "../delivery/timer-state";
import type { ChosenTransport } from "../delivery/transport";
import { createLog } from "../observe/logging";
import { ageSeconds, type Backlog, backlogOf } from "../rabbitmq/backlog";
import type { Broker } from "../rabbitmq/connection";
import { MissingQueues } from "../rabbitmq/missing-queues";
import { type Quarantined, quarantined, quarantineFolder } from "../rabbitmq/quarantine";
import type { QueueDanger } from "../rabbitmq/queue-dangers";
import { QueueInspector } from "../rabbitmq/queue-inspection";
import { lookEveryMs, QueueWatch } from "../rabbitmq/queue-watch";
import { refusalLifetimeMs } from "../rabbitmq/refusals";
import { convertingQueueOf, deadQueueOf, queueDepth } from "../rabbitmq/topology";
import { whyUnavailable } from "../rabbitmq/unavailable";
import type { Catalogue } from "../schema/catalogue";
import type { ConsumerStores } from "../store/consumer/stores";
import type { ApiProcess, LogFollower } from "../store/log-follower";
import { openLog } from "../store/open";
import type { Refusal } from "../store/queue-store";
import type { RelayTrouble } from "../store/relay-trouble";
import { type ShownSchedule, shownSchedule } from "../store/schedule-times";
import { now } from "../timing/clock";
import { type AskQueues, embeddedQueues, knownQueues, type QueueState, rabbitQueues } from "./queue-states";

/** The sources of the state. Whoever has opened it closes it. */
export interface Sources {
  readonly config: Pick<Config, "database" | "dataDir" | "rabbitmq">;
  /** Undefined for the embedded transport. */
  readonly broker: Broker | undefined;
  readonly consumers: ConsumerStores;
  readonly transport: ChosenTransport;
  readonly catalogue: Catalogue;
  /** Resolves with whether an API serves the database, if the log does not know the processes. */
  readonly isServed: () => Promise<boolean>;
}

/** State of the system at one moment. Rates cover the time since the previous look. */
export interface SystemState {
  readonly at: string;
  readonly transport: ChosenTransport;
  /** Null for the embedded transport. */
  readonly broker: ObservedBroker | null;
  /** The processes are null if there can be only one. */
  readonly api: { readonly running: boolean; readonly processes: readonly ApiProcess[] | null };
  readonly database: string;
  /** Position of the newest event, and the rate. Null if there is no log yet. */
  readonly log: { readonly events: number; readonly perSecond: number } | null;
  /** Confirmed position and backlog of the relay. Null without RabbitMQ or a log. */
  readonly relay: (Backlog & { readonly confirmed: number; readonly perSecond: number }) | null;
  /** Null if there is no log yet. */
  readonly timers: TimerState | null;
  /** The schedules of consumers. */
  readonly schedules: readonly ShownSchedule[];
  /** Messages that no queue accepts, in files on this machine. */
  readonly quarantine: readonly Quarantined[];
  /** Null if RabbitMQ cannot be queried. */
  readonly queues: readonly ObservedQueue[] | null;
  /** Ways in which RabbitMQ could drop events, because of how a queue was set up. */
  readonly dangers: readonly (QueueDanger & { readonly queue: string })[];
  /** Classic queues whose conversion to quorum queues is unfinished, with the number of events moved out of each so far. */
  readonly conversions: readonly { readonly queue: string; readonly events: number }[];
  /** Why events do not reach RabbitMQ although it is connected. Null if nothing hinders them. */
  readonly relayTrouble: RelayTrouble | null;
  /** Announcements that the API refused within the last day. */
  readonly refusals: readonly Refusal[];
}

export interface ObservedBroker {
  /** Address without user and password. */
  readonly url: string;
  /** Host and port of the node that this process is connected to. Null if it is connected to none. */
  readonly node: string | null;
  readonly state: BrokerState;
  readonly error: string | null;
}

export interface ObservedQueue extends Omit<QueueState, "oldestAt"> {
  /** `shared`: the queue of a resource. `own`: a consumer's own queue. */
  readonly kind: "shared" | "own";
  /** Longest time that an event has waited, in seconds. Null if none waits or if only RabbitMQ knows. */
  readonly oldestSeconds: number | null;
  /** Growth of the queue in events per second; negative if it shrinks. */
  readonly perSecond: number;
}

/** Observes the queues and the event log, whether or not the API and the consumers run. Changes nothing. */
export class SystemObserver {
  readonly #sources: Sources;
  #log: LogFollower | undefined;
  #ask: AskQueues | undefined;
  #watch: QueueWatch | undefined;
  #watchedAt = Number.NEGATIVE_INFINITY;
  readonly #notConverting = new MissingQueues(lookEveryMs);
  #before: { readonly state: SystemState; readonly at: number } | undefined;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  async look(): Promise<SystemState> {
    const { broker, transport, config, catalogue } = this.#sources;
    if (this.#log?.isReplaced()) {
      this.#log.close();
      this.#log = this.#ask = undefined;
    }
    this.#log ??= await openLog(config);
    const log = this.#log;
    const at = performance.now();
    const before = this.#before;
    const rate = (now: number | null, pick: (state: SystemState) => number | null | undefined) => {
      const then = before && pick(before.state);
      return now === null || then === null || then === undefined || !before ? 0 : ((now - then) / (at - before.at)) * 1000;
    };
    const confirmed = log && broker ? await log.relayed() : null;
    const events = log ? await log.end() : null;
    const queues = await this.#queues();
    const processes = (await log?.processes()) ?? null;
    const isRunning = processes ? processes.length > 0 : await this.#sources.isServed();
    const state: SystemState = {
      at: new Date(now()).toISOString(),
      transport,
      broker: broker ? { url: broker.shown, node: broker.node, state: broker.state, error: broker.lastError ?? null } : null,
      api: { running: isRunning, processes },
      database: config.database.shown,
      log: events === null ? null : { events, perSecond: rate(events, (then) => then.log?.events) },
      relay:
        log && confirmed !== null
          ? { confirmed, perSecond: rate(confirmed, (then) => then.relay?.confirmed), ...(await backlogOf(log, confirmed)) }
          : null,
      timers: log ? await timerState(log.timers) : null,
      schedules: ((await log?.schedules()) ?? []).map((schedule) => shownSchedule(schedule, now())),
      quarantine: quarantined(quarantineFolder(config.dataDir)),
      queues:
        queues?.map(({ oldestAt, ...queue }) => ({
          ...queue,
          kind: catalogue.ownerOf(queue.queue) ? ("shared" as const) : ("own" as const),
          oldestSeconds: oldestAt === null ? null : ageSeconds(oldestAt),
          perSecond: rate(queue.messages, (then) => then.queues?.find((each) => each.queue === queue.queue)?.messages),
        })) ?? null,
      dangers: await this.#dangers(),
      conversions: await this.#conversions(queues ?? []),
      relayTrouble: (broker && isRunning && (await log?.relayTrouble())) || null,
      refusals: (broker && (await log?.refusals(now() - refusalLifetimeMs))) || [],
    };
    this.#before = { state, at };
    return state;
  }

  close(): void {
    this.#log?.close();
  }

  async #dangers(): Promise<SystemState["dangers"]> {
    const { broker, config, catalogue } = this.#sources;
    if (!broker || !config.rabbitmq || whyUnavailable(broker)) return [];
    if (!this.#watch) {
      // What it would log is in the state.
      const log = createLog({ level: "silent", format: "json", stream: 2 });
      const names = async () => catalogue.queuesWith((await this.#log?.queues()) ?? []);
      this.#watch = new QueueWatch(new QueueInspector(broker, config.rabbitmq, log), names, log);
    }
    if (performance.now() - this.#watchedAt >= lookEveryMs) {
      this.#watchedAt = performance.now();
      // It may go while it is asked.
      await this.#watch.look().catch(() => {});
    }
    return this.#watch.dangers;
  }

  async #conversions(queues: readonly QueueState[]): Promise<SystemState["conversions"]> {
    const { broker } = this.#sources;
    if (broker?.queueType !== "quorum") return [];
    const found: { queue: string; events: number }[] = [];
    for (const queue of queues.flatMap((each) => [each.queue, deadQueueOf(each.queue)])) {
      const transit = convertingQueueOf(queue);
      const events = await this.#notConverting.find(transit, () => queueDepth(broker, transit)).catch(() => undefined);
      if (events !== undefined) found.push({ queue, events });
    }
    return found;
  }

  async #queues(): Promise<QueueState[] | null> {
    const { broker } = this.#sources;
    this.#ask ??= await this.#howToAsk();
    try {
      return broker && whyUnavailable(broker) ? null : await this.#ask();
    } catch (error) {
      // The connection was lost during the query.
      if (broker && whyUnavailable(broker)) return null;
      throw error;
    }
  }

  async #howToAsk(): Promise<AskQueues> {
    const { broker, consumers, catalogue } = this.#sources;
    if (broker) {
      return rabbitQueues(broker, async () =>
        knownQueues(catalogue, (await this.#log?.queues()) ?? [], (await this.#log?.retryQueues(now())) ?? []),
      );
    }
    return async () => (this.#log ? embeddedQueues({ log: this.#log, logId: this.#log.logId }, consumers)() : []);
  }
}
