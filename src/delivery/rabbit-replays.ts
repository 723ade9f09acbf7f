import type { Broker, ConfirmChannel } from "../broker/connection";
import { Unroutable } from "../broker/publisher";
import { bindOwnQueue, declarePlainQueue, queueDepth } from "../broker/topology";
import type { Catalogue } from "../domain/catalogue";
import { type Log, messageOf } from "../observe/logging";
import type { Tracing } from "../observe/tracing";
import type { ReplayRow } from "../store/replay-table";
import type { Store } from "../store/store";
import { troubleOf } from "./broker-trouble";
import { QueueUnavailable, UnknownQueue } from "./queue-errors";
import type { Relay } from "./relay";
import { parseSelection, type ReplaySelection } from "./replay-selection";
import { beginningOf, type Replay, type Replays, toReplay } from "./replays";
import { sendPast } from "./send-past";

export interface RabbitReplaysOptions {
  readonly broker: Broker;
  readonly store: Store;
  readonly relay: Pick<Relay, "position" | "whilePaused">;
  readonly catalogue: Catalogue;
  readonly log: Log;
  readonly tracing: Pick<Tracing, "send">;
}

const saveEveryMs = 250;
/** A fill pauses the relay only for what is left when it is this near to the present. */
const nearlyThere = 2000;

/** Replays from the event log to a queue of RabbitMQ. They are kept in the store, and go on after a restart. */
export class RabbitReplays implements Replays {
  readonly #running = new Map<string, ReplayRow>();
  /** Fills whose queue is bound to the present, or about to be. */
  readonly #bound = new Set<string>();
  readonly #stopping = new AbortController();

  constructor(readonly options: RabbitReplaysOptions) {}

  /** Goes on with what an earlier process did not finish. */
  async resume(): Promise<void> {
    for (const row of await this.options.store.replays.unfinished()) this.#keepGoing(row);
  }

  /** The position of the slowest one; what comes after it must not be pruned. */
  get position(): number {
    return Math.min(...[...this.#running.values()].map((row) => row.position));
  }

  async start(queue: string, selection: ReplaySelection): Promise<Replay> {
    const { broker } = this.options;
    const trouble = troubleOf(broker);
    if (trouble) throw new QueueUnavailable(trouble);
    if ((await queueDepth(broker, queue)) === undefined) throw new UnknownQueue(queue);
    return this.#begin(queue, selection, 0);
  }

  /** Whether a fill will bind this queue to what its consumer wants. */
  isFilling(queue: string): boolean {
    return [...this.#running.values()].some((row) => row.fill === 1 && row.queue === queue && !this.#bound.has(row.id));
  }

  /** Makes a queue, sends it the past, and then binds it to the present, with no gap and nothing twice in between. */
  async fill(queue: string, types: readonly string[], from: string | null): Promise<void> {
    await this.#begin(queue, { types, subject: null, from, to: null, rate: null, force: false }, 1);
  }

  async get(id: string): Promise<Replay | undefined> {
    const row = this.#running.get(id) ?? (await this.options.store.replays.get(id));
    return row && toReplay(row);
  }

  async list(limit: number): Promise<Replay[]> {
    return (await this.options.store.replays.list(limit)).map((row) => toReplay(this.#running.get(row.id) ?? row));
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #begin(queue: string, selection: ReplaySelection, fill: number): Promise<Replay> {
    const { replays, log } = this.options.store;
    const id = Bun.randomUUIDv7();
    await replays.add({
      id,
      queue,
      fill,
      selection: JSON.stringify(selection),
      first: await beginningOf(log, selection),
      last: await log.end(),
      createdAt: new Date().toISOString(),
    });
    const row = (await replays.get(id)) as ReplayRow;
    this.#keepGoing(row);
    return toReplay(row);
  }

  #keepGoing(row: ReplayRow): void {
    const { broker, log } = this.options;
    this.#running.set(row.id, row);
    const finished = new AbortController();
    void broker.keepChannel(
      async (channel, closed) => {
        const stop = AbortSignal.any([closed, this.#stopping.signal]);
        try {
          await this.#run(this.#running.get(row.id) ?? row, channel, stop);
          if (stop.aborted) return;
          await this.#save(row.id, { finishedAt: new Date().toISOString() });
          log.info({ queue: row.queue, replay: row.id, events: this.#running.get(row.id)?.sent }, "Past events were sent to a queue");
        } catch (error) {
          if (row.fill === 1) await this.#beginAnewIfDeleted(row);
          // Anything else is tried again, on a new channel.
          if (row.fill === 1 || !(error instanceof Unroutable)) throw error;
          const problem = `The queue "${row.queue}" was deleted before all events were in it`;
          await this.#save(row.id, { finishedAt: new Date().toISOString(), error: problem });
          log.warn({ queue: row.queue, replay: row.id }, problem);
        }
        this.#running.delete(row.id);
        this.#bound.delete(row.id);
        finished.abort();
      },
      AbortSignal.any([finished.signal, this.#stopping.signal]),
    );
  }

  async #run(row: ReplayRow, channel: ConfirmChannel, stop: AbortSignal): Promise<void> {
    const { broker, store, relay, log, tracing } = this.options;
    const { queue } = row;
    this.#bound.delete(row.id);
    const selection = parseSelection(row.selection);
    let savedAt = performance.now();
    let { position, sent } = row;
    const upTo = async (last: number) => {
      const sentBefore = sent;
      position = await sendPast({
        log: store.log,
        channel,
        queue,
        selection,
        after: position,
        last,
        marked: row.fill === 0,
        closed: stop,
        tracing,
        onProgress: (reached, confirmed) => {
          sent = sentBefore + confirmed;
          this.#running.set(row.id, { ...row, position: reached, sent });
          if (performance.now() - savedAt < saveEveryMs) return;
          savedAt = performance.now();
          this.#save(row.id, {}).catch((error: unknown) =>
            log.warn({ error: messageOf(error) }, "A replay's progress could not be stored"),
          );
        },
      });
    };
    if (row.fill === 0) return upTo(row.last);

    if (position === row.first) await declarePlainQueue(broker, queue, log);
    while (!stop.aborted && relay.position - position > nearlyThere) await upTo(relay.position);
    if (stop.aborted) return;
    await relay.whilePaused(async (present) => {
      if (stop.aborted) return;
      await upTo(present);
      if (stop.aborted) return;
      await this.#bind(row, selection.types ?? []);
    });
  }

  /**
   * A queue that is deleted while it is filled takes along what it had, and its consumer may have asked for it again
   * already, which counts for nothing as long as it is filled.
   */
  async #beginAnewIfDeleted({ id, queue }: ReplayRow): Promise<void> {
    const row = this.#running.get(id);
    if (!row || (await queueDepth(this.options.broker, queue)) !== undefined) return;
    this.options.log.warn({ queue, replay: id }, "A queue was deleted while it was filled; it is made and filled again");
    this.#running.set(id, { ...row, position: row.first, sent: 0 });
    await this.#save(id, {});
  }

  /** Binds a filled queue to the types that its consumer wants by now. From here on, announcements bind it as well. */
  async #bind({ id, queue }: ReplayRow, asked: readonly string[]): Promise<void> {
    const { broker, store, catalogue } = this.options;
    const wanted = async () => (await store.subscriptions.list()).find((known) => known.queue === queue)?.types ?? asked;
    this.#bound.add(id);
    let types: readonly string[];
    do {
      types = await wanted();
      await bindOwnQueue(broker, queue, new Set(types), catalogue.resources);
    } while (types.join() !== (await wanted()).join());
  }

  async #save(id: string, change: { finishedAt?: string; error?: string }): Promise<void> {
    const row = this.#running.get(id);
    if (!row) return;
    const { position, begun, sent, finishedAt, error } = { ...row, ...change };
    await this.options.store.replays.save(id, { position, begun, sent, finishedAt, error });
  }
}
