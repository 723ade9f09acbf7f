import { parseSelection } from "../delivery/replay-selection";
import { type Log, messageOf } from "../observe/logging";
import type { Tracing } from "../observe/tracing";
import type { Catalogue } from "../schema/catalogue";
import type { ReplayRow } from "../store/replay";
import type { Store } from "../store/store";
import { pause } from "../timing/pause";
import type { Broker, ConfirmChannel } from "./connection";
import { Culprit } from "./culprit";
import type { OutgoingMessage } from "./message";
import { quarantine } from "./quarantine";
import type { Relay } from "./relay";
import { sendPast } from "./send-past";
import { bindOwnQueue, declareDurableQueue, queueDepth } from "./topology";

export interface RabbitReplaysOptions {
  readonly broker: Broker;
  readonly store: Store;
  readonly relay: Pick<Relay, "position" | "whilePaused">;
  readonly catalogue: Catalogue;
  readonly log: Log;
  readonly tracing: Pick<Tracing, "send">;
  /** Folder for events that RabbitMQ accepts in no queue. */
  readonly quarantine: string;
}

const saveEveryMs = 250;
/** Number of remaining events below which a fill pauses the relay to send them. */
const nearlyThere = 2000;
const lookAtRelayEveryMs = 50;

/** An unfinished replay or fill: running, or waiting for its turn. */
export class RabbitReplayRun {
  /** Aborts when the run is finished, cancelled or has failed. */
  readonly ended = new AbortController();
  runs = false;
  /** True if the queue of a fill is bound to new events, or is being bound. */
  isBound = false;
  #culprit = new Culprit();

  constructor(
    readonly options: RabbitReplaysOptions,
    public row: ReplayRow,
  ) {}

  get isFill(): boolean {
    return this.row.fill === 1;
  }

  /** Sends the remaining events until all are sent or `stop` aborts. A fill then binds its queue. */
  async send(channel: ConfirmChannel, stop: AbortSignal): Promise<void> {
    const { broker, relay, log } = this.options;
    const { queue, last, first, position } = this.row;
    this.isBound = false;
    if (!this.isFill) return this.#sendUpTo(last, channel, stop);

    if (position === first) await declareDurableQueue(broker, queue, log);
    while (!stop.aborted && relay.position - this.row.position > nearlyThere) await this.#sendUpTo(relay.position, channel, stop);
    // A queue that is bound before the relay has come to where it begins would get what was committed before.
    while (!stop.aborted && relay.position < this.row.position) await pause(lookAtRelayEveryMs, stop);
    if (stop.aborted) return;
    await relay.whilePaused(async (present) => {
      if (stop.aborted) return;
      await this.#sendUpTo(present, channel, stop);
      if (!stop.aborted) await this.#bind();
    });
  }

  async #sendUpTo(last: number, channel: ConfirmChannel, stop: AbortSignal): Promise<void> {
    const { store, log, tracing } = this.options;
    const sentBefore = this.row.sent;
    let savedAt = performance.now();
    const position = await sendPast({
      log: store.log,
      channel,
      queue: this.row.queue,
      selection: parseSelection(this.row.selection),
      after: this.row.position,
      last,
      marked: !this.isFill,
      culprit: this.#culprit,
      putAway: (message, why) => {
        this.#putAway(message, why);
        savedAt = Number.NEGATIVE_INFINITY;
      },
      closed: stop,
      tracing,
      onProgress: (reached, confirmed) => {
        this.row = { ...this.row, position: reached, sent: sentBefore + confirmed };
        if (performance.now() - savedAt < saveEveryMs) return;
        savedAt = performance.now();
        this.save().catch((error: unknown) => log.warn({ error: messageOf(error) }, "Cannot store the progress of a replay"));
      },
    });
    this.row = { ...this.row, position };
  }

  /** Keeps an event that RabbitMQ refuses in a file, so that it does not hold up those behind it. */
  #putAway({ content, exchange, routingKey, options }: OutgoingMessage, error: string): void {
    const { id, queue } = this.row;
    const unwanted = { content, fields: { exchange, routingKey }, properties: options };
    const file = quarantine(this.options.quarantine, queue, unwanted, null, error);
    this.row = { ...this.row, refused: this.row.refused + 1 };
    const about = { queue, replay: id, event: options.messageId, bytes: content.length, file, error };
    this.options.log.error(about, "RabbitMQ refuses a past event; keeping it in a file and continuing with the next");
  }

  /**
   * Restarts a fill whose queue was deleted, since the events sent so far are gone with it. An announcement during a fill does not start
   * another one, so this must.
   */
  async beginAnewIfDeleted(): Promise<void> {
    const { id, queue, first } = this.row;
    if ((await queueDepth(this.options.broker, queue)) !== undefined) return;
    this.options.log.warn({ queue, replay: id }, "A queue was deleted while it was being filled; creating and filling it again");
    this.row = { ...this.row, position: first, sent: 0, refused: 0 };
    this.#culprit = new Culprit();
    await this.save();
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
    this.row = { ...this.row, finishedAt: new Date().toISOString(), error };
    await this.save();
    this.ended.abort();
  }

  async save(): Promise<void> {
    const { id, position, begun, sent, refused, finishedAt, error } = this.row;
    await this.options.store.replays.save(id, { position, begun, sent, refused, finishedAt, error });
  }
}
