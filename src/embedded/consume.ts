import type { Consumer } from "../delivery/consumer-options";
import type { Delivery } from "../delivery/delivery";
import type { Outcome } from "../delivery/outcome";
import type { Worker } from "../delivery/worker";
import { validTraceparent } from "../observe/traceparent";
import type { ConsumerData, ConsumerStore } from "../store/consumer/store";
import { atOnce, type Waiting } from "../store/consumer/waiting-table";
import type { LogEntry, LogReader } from "../store/log";
import type { LogFollower, Notifier } from "../store/log-follower";
import { whenUnlocked } from "../store/open";
import type { ReplayMark } from "../store/replay";
import { Signal } from "../timing/signal";
import { type Kept, keepFailure } from "./keep-failure";
import { LogCursor } from "./log-cursor";
import { readLog } from "./log-read";
import { PatientWrites } from "./patient-writes";
import { ReplacedFiles } from "./replaced-files";
import { Retries } from "./retries";
import type { RunningReplay } from "./running-replay";
import { RunningReplays } from "./running-replays";
import { startCursor } from "./start-cursor";

/** Interval to look for replays and redriven events that other processes write to the file, in milliseconds. Events read at once. */
const [lookForRequestsEveryMs, batch] = [90, 256];

/** Where an event comes from. */
interface Place {
  /** Removes the event from the store. Undefined for an event of the log. */
  readonly remove?: (own: ConsumerData) => Promise<void>;
  /** Records that the event is settled. Called after the commit. */
  settle(): void;
}

/** The parts of a log that an {@link EmbeddedConsumer} uses. */
type FollowedLog = LogReader & Pick<LogFollower, "logId" | "isReplaced" | "notifier">;

/** Feeds a worker from the event log, from events that wait for their next attempt, and from replays. */
export class EmbeddedConsumer {
  readonly consumer: Consumer;
  #main = new LogCursor({ position: 0, begun: 0 });
  readonly #replays: RunningReplays;
  #looked = Number.NEGATIVE_INFINITY;
  readonly #retries: Retries;
  readonly #settled = new Signal();
  /** At the stop, keeps log entries that never reached the handler as waiting events. Else the entries after them come again. */
  readonly #putAside = new WeakMap<Delivery, (own: ConsumerData) => Promise<void>>();
  #savedPosition = -1;
  /** Progress to write as soon as possible. */
  readonly #toSave = new Set<() => Promise<void>>();
  readonly #writes: PatientWrites;
  readonly #commits: Notifier;
  readonly #replaced: ReplacedFiles;
  /** True if the log may have more entries than were read, apart from future commits. */
  #more = true;

  constructor(
    readonly worker: Worker,
    readonly log: FollowedLog,
    readonly store: ConsumerStore,
    readonly stop: AbortSignal,
    readonly on: { readonly since: Date | undefined; onReplaced(): void },
  ) {
    this.consumer = worker.consumer;
    this.#commits = log.notifier(() => this.#settled.raise());
    this.#replaced = new ReplacedFiles(worker.consumer, log, store, on.onReplaced);
    this.#replays = new RunningReplays(worker.consumer, store, log.logId);
    this.#writes = new PatientWrites(worker.consumer, stop);
    this.#retries = new Retries(store, this.#writes);
  }

  /** Runs until the stop, until all of a replaced log is settled, or until nothing is in progress for a replaced file. */
  async run(): Promise<void> {
    this.#main = await whenUnlocked(() => startCursor(this.consumer, this.log, this.store, this.on.since));
    await this.#retries.look();
    this.#commits.changed();
    this.consumer.onReady();
    this.stop.addEventListener("abort", () => this.#settled.raise(), { once: true });
    while (!this.stop.aborted) {
      const replaced = await this.#replaced.look();
      const fed = replaced ? 0 : (await this.#feedReplays()) + (await this.#feedWaiting());
      const read = replaced === "file" ? 0 : await this.#feedLog();
      for (const save of this.#toSave) if (await this.#writes.write(save)) this.#toSave.delete(save);
      if (this.#main.position !== this.#savedPosition) await this.#writes.write(this.#saveMain);
      // Without this, handlers that never wait would block signals and timers.
      if (fed + read > 0) await new Promise(setImmediate);
      else if (replaced && this.#inHand === 0) return;
      else await this.#change();
    }
    await this.worker.drain();
    const back = this.worker.giveBack();
    // Nothing is in progress any more, so nothing is suspect.
    await this.#writes.write(() =>
      this.store.together(async (own) => {
        for (const delivery of back) await this.#putAside.get(delivery)?.(own);
        this.#main.rest();
        await own.saveProgress(this.log.logId, this.#main);
        await this.#replays.rest(own);
      }),
    );
  }

  get #inHand(): number {
    return this.#main.inHand + this.#retries.inHand + this.#replays.inHand;
  }

  get #room(): number {
    return Math.max(0, this.consumer.prefetch - this.#inHand);
  }

  async #feedWaiting(): Promise<number> {
    const due = await this.#retries.take(Math.min(batch, this.#room));
    for (const waiting of due) this.#takeWaiting(waiting);
    return due.length;
  }

  #takeWaiting(waiting: Waiting): void {
    const { number, attempts, begun } = waiting;
    this.#hand(
      { ...waiting, failures: attempts, again: true, suspect: begun === 1 },
      {
        remove: (own) => own.waiting.remove(number),
        settle: () => this.#retries.settle(number),
      },
    );
  }

  async #feedLog(): Promise<number> {
    const room = Math.min(this.#room, batch);
    const entries = room === 0 ? [] : await readLog(this.log, this.consumer.log, this.#main.taken, room);
    this.#more = entries === undefined || entries.length === room;
    const last = entries?.at(-1);
    if (!entries || !last) return 0;
    if (this.#main.begin(last.position) && !(await this.#writes.write(this.#saveMain))) return 0;
    for (const entry of entries) {
      if (!this.consumer.wanted.has(entry.type)) this.#main.skip(entry.position);
      else this.#takeEntry(this.#main, entry, "no", this.#saveMain);
    }
    return entries.length;
  }

  async #feedReplays(): Promise<number> {
    await this.#lookForRequests();
    let fed = 0;
    for (const replay of this.#replays.ready) fed += await this.#feedReplay(replay);
    return fed;
  }

  async #lookForRequests(): Promise<void> {
    if (performance.now() - this.#looked < lookForRequestsEveryMs) return;
    this.#looked = performance.now();
    if (!(await this.store.changed())) return;
    await this.#retries.look();
    await this.#replays.look();
  }

  async #feedReplay(replay: RunningReplay): Promise<number> {
    const { cursor, selection } = replay;
    const room = Math.min(this.#room, batch);
    const read = room === 0 ? undefined : await readLog(this.log, this.consumer.log, cursor.taken, room);
    if (!read) return 0;
    const own = replay.ofItsOwn(read);
    if (own.length === 0 && cursor.inHand === 0) await this.#writes.write(() => this.#replays.finish(replay));
    const entries = replay.allowed(own);
    const end = entries.at(-1)?.position;
    if (end !== undefined && cursor.begin(end) && !(await this.#writes.write(replay.save))) return 0;
    for (const entry of entries) {
      if (!replay.wants(entry)) cursor.skip(entry.position);
      else {
        replay.sent += 1;
        this.#takeEntry(cursor, entry, selection.force ? "forced" : "yes", replay.save);
      }
    }
    // Save the progress of a slow replay so that users see it.
    if (entries.length > 0 && replay.isHeldBack) await this.#writes.write(replay.save);
    return entries.length;
  }

  #takeEntry(cursor: LogCursor, entry: LogEntry, replay: ReplayMark, save: () => Promise<void>): void {
    const settle = cursor.take(entry);
    const suspect = cursor.isSuspect(entry);
    const { id, body, traceparent } = entry;
    const delivery = this.#hand(
      { id, body, traceparent, failures: 0, firstFailure: null, replay, suspect },
      {
        settle: () => {
          settle();
          // Otherwise, the next death would be counted for this event, too.
          if (suspect) this.#toSave.add(save);
        },
      },
    );
    this.#putAside.set(delivery, async ({ waiting }) => {
      await waiting.add({ id, body, traceparent, attempts: 0, firstFailure: null, replay, dueAt: atOnce, delayMs: 0 });
      settle();
    });
  }

  #hand(message: Omit<Delivery, "gone" | "settle" | "origin"> & Kept, place: Place): Delivery {
    const { temporary, queue: destination } = this.consumer;
    const traceparent = validTraceparent(message.traceparent);
    const delivery: Delivery = {
      ...message,
      origin: { system: "warren", destination, temporary, id: message.id, traceparent },
      gone: false,
      settle: (outcome) => (outcome.action === "ack" && !place.remove ? this.#leave(place) : this.#move(message, outcome, place)),
    };
    this.worker.take(delivery);
    return delivery;
  }

  /** Commits together that an event leaves its place, and where it goes. */
  async #move(message: Kept, outcome: Outcome, place: Place): Promise<void> {
    if (outcome.action === "ack") await place.remove?.(this.store);
    else {
      const keep = async (own: ConsumerData) => {
        await place.remove?.(own);
        return keepFailure(own, message, outcome, this.consumer);
      };
      this.#retries.add(await this.store.together(keep));
    }
    this.#leave(place);
  }

  #leave(place: Place): void {
    place.settle();
    this.#settled.raise();
  }

  readonly #saveMain = async () => {
    const { position, begun } = this.#main;
    await this.store.saveProgress(this.log.logId, { position, begun });
    this.#savedPosition = position;
  };

  /** Waits for a commit, a settled event, a retry that is due, a replay, a replaced file, or the stop. */
  async #change(): Promise<void> {
    for (;;) {
      await this.#settled.wait(this.#pauseMs());
      if (this.stop.aborted || (await this.#replaced.look()) || this.#main.position !== this.#savedPosition) return;
      if (this.#room === 0) continue;
      await this.#lookForRequests();
      if (this.#commits.changed() || this.#more || this.#toSave.size > 0 || this.#replays.ready.length > 0 || this.#retries.isDue) return;
    }
  }

  #pauseMs(): number {
    return Math.min(this.#commits.pauseMs(this.#replays.isEmpty), this.#room > 0 ? this.#retries.pauseMs : Number.POSITIVE_INFINITY);
  }
}
