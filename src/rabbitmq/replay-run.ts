import { parseSelection } from "../delivery/replay-selection";
import { type Log, messageOf } from "../observe/logging";
import type { Tracing } from "../observe/tracing";
import type { Catalogue } from "../schema/catalogue";
import type { Leadership } from "../store/leadership";
import type { ReplayRow } from "../store/replay";
import type { Store } from "../store/store";
import { timestamp } from "../timing/clock";
import { pause } from "../timing/pause";
import type { Broker, ConfirmChannel } from "./connection";
import { Unroutable } from "./publisher";
import { QueueSender, type RefusedEvent, type SentSoFar } from "./queue-sender";
import type { Relay } from "./relay";
import { isAccessDenied } from "./reply-code";
import { bindOwnQueue, declareDurableQueue, queueDepth } from "./topology";

export interface RabbitReplaysOptions {
  readonly broker: Broker;
  readonly store: Store;
  readonly relay: Pick<Relay, "position" | "whilePaused">;
  readonly catalogue: Catalogue;
  readonly log: Log;
  readonly tracing: Pick<Tracing, "send">;
  /** Resolves with whether the setup of a queue says that it may refuse events. */
  readonly hasLimit: (queue: string) => Promise<boolean>;
  /** Folder for events that RabbitMQ accepts in no queue. */
  readonly quarantine: string;
}

const saveEveryMs = 250;
/** Number of remaining events below which a fill pauses the relay to send them. */
const nearlyThere = 2000;
const lookAtRelayEveryMs = 50;

/** An unfinished replay or fill in the process that leads: running, or waiting for its turn. */
export class RabbitReplayRun {
  /** Aborts when the run is finished, cancelled or has failed. */
  readonly ended = new AbortController();
  runs = false;
  /** Resolves when nothing is in hand on the current channel. */
  working: Promise<void> = Promise.resolve();
  /** True if the queue of a fill is bound to new events, or is being bound. */
  isBound = false;
  /** The replay without its progress, which the sender tracks. */
  #row: Omit<ReplayRow, keyof SentSoFar>;
  readonly #sender: QueueSender;
  #savedAt = performance.now();

  constructor(
    readonly options: RabbitReplaysOptions,
    row: ReplayRow,
    readonly leadership: Leadership,
  ) {
    this.#row = row;
    const { store, hasLimit, tracing, quarantine } = options;
    const { queue, position, sent, refused } = row;
    const onProgress = () => this.#onProgress();
    const onRefused = (event: RefusedEvent) => this.#onRefused(event);
    const selection = parseSelection(row.selection);
    const holds = () => leadership.holds();
    const sending = { log: store.log, queue, selection, hasLimit, marked: !this.isFill, quarantine, tracing, holds, onProgress, onRefused };
    this.#sender = new QueueSender(sending, { position, sent, refused });
  }

  get row(): ReplayRow {
    return { ...this.#row, ...this.#sender.soFar };
  }

  get isFill(): boolean {
    return this.#row.fill === 1;
  }

  /** Starts the run. It ends with the leadership at the latest. */
  start(onEnd: () => void): void {
    this.runs = true;
    const stop = AbortSignal.any([this.ended.signal, this.leadership.until]);
    this.ended.signal.addEventListener("abort", onEnd, { once: true });
    void this.options.broker.keepChannel((channel, closed) => {
      const working = this.#finish(channel, AbortSignal.any([closed, stop]));
      this.working = working.catch(() => {});
      return working;
    }, stop);
  }

  /** Sends the remaining events, and ends the run. Rejects if that takes another channel. */
  async #finish(channel: ConfirmChannel, stop: AbortSignal): Promise<void> {
    const { log } = this.options;
    try {
      await this.#send(channel, stop);
      if (stop.aborted) return;
      await this.end();
      const { queue, id, sent, refused } = this.row;
      log.info({ queue, replay: id, events: sent, ...(refused > 0 && { refused }) }, "Sent past events to a queue");
    } catch (error) {
      const problem = await this.#problemOf(error);
      if (problem === undefined) throw error;
      await this.end(problem);
      log.warn({ queue: this.row.queue, replay: this.row.id }, problem);
    }
  }

  /** Returns the reason that the run cannot be finished, or undefined if it can. */
  async #problemOf(error: unknown): Promise<string | undefined> {
    const { queue } = this.row;
    if (isAccessDenied(error)) return `RabbitMQ denies access to the queue "${queue}": ${messageOf(error)}`;
    if (!this.isFill) return error instanceof Unroutable ? `The queue "${queue}" was deleted before all events were sent` : undefined;
    await this.#beginAnewIfDeleted();
    return undefined;
  }

  /** Sends the remaining events until all are sent or `stop` aborts. A fill then binds its queue. */
  async #send(channel: ConfirmChannel, stop: AbortSignal): Promise<void> {
    if (stop.aborted) return;
    const { broker, relay, log } = this.options;
    const { queue, last, first, position } = this.row;
    this.isBound = false;
    if (!this.isFill) return this.#sender.sendUpTo(last, channel, stop);

    if (position === first) await declareDurableQueue(broker, queue, log);
    for (let end = await relay.position(); !stop.aborted && end - this.row.position > nearlyThere; end = await relay.position())
      await this.#sender.sendUpTo(end, channel, stop);
    // If the queue were bound before the relay reaches its start, it would also get earlier events.
    while (!stop.aborted && (await relay.position()) < this.row.position) await pause(lookAtRelayEveryMs, stop);
    await relay.whilePaused(async (present) => {
      await this.#sender.sendUpTo(present, channel, stop);
      if (!stop.aborted && this.leadership.holds()) await this.#bind();
    }, stop);
  }

  #onProgress(): void {
    if (performance.now() - this.#savedAt < saveEveryMs) return;
    this.#savedAt = performance.now();
    this.#save().catch((error: unknown) => this.options.log.warn({ error: messageOf(error) }, "Cannot store the progress of a replay"));
  }

  #onRefused({ id: event, bytes, file, why: error }: RefusedEvent): void {
    // Otherwise, the event would be refused again after a restart.
    this.#savedAt = Number.NEGATIVE_INFINITY;
    const { id, queue } = this.row;
    const about = { queue, replay: id, event, bytes, file, error };
    this.options.log.error(about, "RabbitMQ refuses a past event; keeping it in a file and continuing with the next");
  }

  /**
   * Restarts a fill whose queue was deleted, since the events sent so far are gone with it. An announcement during a fill does not start
   * another one, so this must.
   */
  async #beginAnewIfDeleted(): Promise<void> {
    const { id, queue, first } = this.row;
    if ((await queueDepth(this.options.broker, queue)) !== undefined) return;
    this.options.log.warn({ queue, replay: id }, "A queue was deleted while it was being filled; creating and filling it again");
    this.#sender.restart(first);
    await this.#save();
  }

  /** Binds a filled queue to the event types that its consumer wants now. From here on, announcements bind it as well. */
  async #bind(): Promise<void> {
    const { broker, store, catalogue } = this.options;
    const { queue, selection } = this.row;
    const asked = parseSelection(selection).types ?? [];
    const wanted = async () => (await store.subscriptions.list()).find((known) => known.queue === queue)?.types ?? asked;
    this.isBound = true;
    let types: readonly string[];
    do {
      types = await wanted();
      await bindOwnQueue(broker, queue, new Set(types), catalogue.resources);
    } while (types.join() !== (await wanted()).join());
  }

  /**
   * Ends the run.
   *
   * @param error Reason that it could not be finished; null if it was.
   */
  async end(error: string | null = null): Promise<void> {
    this.#row = { ...this.#row, finishedAt: timestamp(), error };
    await this.#save();
    this.ended.abort();
  }

  async #save(): Promise<void> {
    const { id, position, begun, sent, refused, finishedAt, error } = this.row;
    await this.options.store.replays.save(id, { position, begun, sent, refused, finishedAt, error }, this.leadership);
  }
}
