import type { Consumer } from "../delivery/consumer-options";
import type { Delivery } from "../delivery/delivery";
import type { Failure } from "../delivery/outcome";
import type { Worker } from "../delivery/worker";
import { validTraceparent } from "../observe/traceparent";
import type { ConsumerStore } from "../store/consumer/store";
import { atOnce, type Waiting } from "../store/consumer/waiting-table";
import type { LogEntry, LogReader } from "../store/log";
import type { LogFollower, Notifier } from "../store/log-follower";
import { whenUnlocked } from "../store/open";
import type { ReplayMark } from "../store/replay";
import { Signal } from "../timing/signal";
import { steadyNow } from "../timing/steady-time";
import { type Kept, keepFailure } from "./keep-failure";
import { LogCursor } from "./log-cursor";
import { readLog } from "./log-read";
import { PatientWrites } from "./patient-writes";
import { ReplacedFiles } from "./replaced-files";
import type { RunningReplay } from "./running-replay";
import { RunningReplays } from "./running-replays";
import { startCursor } from "./start-cursor";

/** Interval to look for replays and redriven events that other processes write to the file, in milliseconds; events read at once. */
const [lookForRequestsEveryMs, batch] = [90, 256];
/** Minimum pause before an event that is due, in milliseconds. The runtime prints a warning for a timer with a negative delay. */
const shortestPauseMs = 1;

/** The parts of a log that an {@link EmbeddedConsumer} uses. */
type FollowedLog = LogReader & Pick<LogFollower, "logId" | "isReplaced" | "notifier">;

/** Feeds a worker from the event log, from events that wait for their next attempt, and from replays. */
export class EmbeddedConsumer {
  #main = new LogCursor({ position: 0, begun: 0 });
  readonly #replays: RunningReplays;
  #looked = Number.NEGATIVE_INFINITY;
  /** Numbers of the waiting events that are with the worker. */
  readonly #retrying = new Set<number>();
  #nextDueAt: number | undefined;
  readonly #settled = new Signal();
  /** At the stop, keeps log entries that never reached the handler as waiting events. Else the entries after them come again. */
  readonly #putAside = new WeakMap<Delivery, () => void>();
  #savedPosition = -1;
  /** Progress to write as soon as possible. */
  readonly #toSave = new Set<() => void>();
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
    this.#commits = log.notifier(() => this.#settled.raise());
    this.#replaced = new ReplacedFiles(worker.consumer, log, store, on.onReplaced);
    this.#replays = new RunningReplays(worker.consumer, store, log.logId);
    this.#writes = new PatientWrites(worker.consumer, stop);
  }

  get consumer(): Consumer {
    return this.worker.consumer;
  }

  /** Runs until the stop, until all of a replaced log is settled, or until nothing is in progress for a replaced file. */
  async run(): Promise<void> {
    this.#main = await whenUnlocked(() => startCursor(this.consumer, this.log, this.store, this.on.since));
    this.#nextDueAt = this.store.waiting.nextDueAt(this.#retrying);
    this.#commits.changed();
    this.consumer.onReady();
    this.stop.addEventListener("abort", () => this.#settled.raise(), { once: true });
    while (!this.stop.aborted) {
      const replaced = this.#replaced.look();
      const fed = replaced ? 0 : (await this.#feedReplays()) + (await this.#feedWaiting());
      const read = replaced === "file" ? 0 : await this.#feedLog();
      for (const save of this.#toSave) if (await this.#writes.write(save)) this.#toSave.delete(save);
      if (this.#main.position !== this.#savedPosition) await this.#writes.write(this.#saveMain);
      // Without this, handlers that never wait would block signals and timers.
      if (fed + read > 0) await new Promise(setImmediate);
      else if (replaced && this.#inHand === 0) return;
      else await this.#change();
    }
    const back = this.worker.giveBack();
    await this.worker.drain();
    // Nothing is in progress any more, so nothing is suspect.
    await this.#writes.write(() =>
      this.store.together(() => {
        for (const delivery of back) this.#putAside.get(delivery)?.();
        this.#main.rest();
        this.#saveMain();
        this.#replays.rest();
      }),
    );
  }

  get #inHand(): number {
    return this.#main.inHand + this.#retrying.size + this.#replays.inHand;
  }

  get #room(): number {
    return Math.max(0, this.consumer.prefetch - this.#inHand);
  }

  async #feedWaiting(): Promise<number> {
    const now = steadyNow();
    const room = this.#room;
    if (room === 0 || this.#nextDueAt === undefined || this.#nextDueAt > now) return 0;
    const due = this.store.waiting.due(now, this.#retrying, Math.min(batch, room));
    const begin = () => {
      for (const { number } of due) this.store.waiting.begin(number);
    };
    if (!(await this.#writes.write(() => this.store.together(begin)))) return 0;
    for (const waiting of due) this.#retrying.add(waiting.number);
    this.#nextDueAt = this.store.waiting.nextDueAt(this.#retrying);
    for (const waiting of due) this.#takeWaiting(waiting);
    return due.length;
  }

  #takeWaiting(waiting: Waiting): void {
    const { number, attempts, begun } = waiting;
    this.#hand({ ...waiting, failures: attempts, again: true, suspect: begun === 1 }, () => {
      this.store.waiting.remove(number);
      return () => {
        this.#retrying.delete(number);
        this.#nextDueAt = this.store.waiting.nextDueAt(this.#retrying);
      };
    });
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
    this.#lookForRequests();
    let fed = 0;
    for (const replay of this.#replays.ready) fed += await this.#feedReplay(replay);
    return fed;
  }

  #lookForRequests(): void {
    if (performance.now() - this.#looked < lookForRequestsEveryMs) return;
    this.#looked = performance.now();
    if (!this.store.changed()) return;
    this.#nextDueAt = this.store.waiting.nextDueAt(this.#retrying);
    this.#replays.look();
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

  #takeEntry(cursor: LogCursor, entry: LogEntry, replay: ReplayMark, save: () => void): void {
    const settle = cursor.take(entry);
    const suspect = cursor.isSuspect(entry);
    const { id, body, traceparent } = entry;
    const delivery = this.#hand({ id, body, traceparent, failures: 0, firstFailure: null, replay, suspect }, () => () => {
      settle();
      // Otherwise, the next death would be counted for this event, too.
      if (suspect) this.#toSave.add(save);
    });
    this.#putAside.set(delivery, () => {
      this.store.waiting.add({ id, body, traceparent, attempts: 0, firstFailure: null, replay, dueAt: atOnce, delayMs: 0 });
      settle();
    });
  }

  /** @param settle is committed together with where the event goes. The function that it returns runs after the commit. */
  #hand(message: Omit<Delivery, "gone" | "settle" | "origin"> & Kept, settle: () => () => void): Delivery {
    const { store } = this;
    const { temporary, queue: destination } = this.consumer;
    const traceparent = validTraceparent(message.traceparent);
    const keep = (outcome: Failure) => {
      const dueAt = keepFailure(store, message, outcome, { temporary });
      if (dueAt !== undefined) this.#nextDueAt = Math.min(this.#nextDueAt ?? dueAt, dueAt);
    };
    const delivery: Delivery = {
      ...message,
      origin: { system: "warren", destination, temporary, id: message.id, traceparent },
      gone: false,
      settle: (outcome) => {
        let after = () => {};
        if (outcome.action === "ack") after = settle();
        else
          store.together(() => {
            after = settle();
            keep(outcome);
          });
        after();
        this.#settled.raise();
      },
    };
    this.worker.take(delivery);
    return delivery;
  }

  readonly #saveMain = () => {
    this.store.saveProgress(this.log.logId, this.#main);
    this.#savedPosition = this.#main.position;
  };

  /** Waits for a commit, a settled event, a retry that is due, a replay, a replaced file, or the stop. */
  async #change(): Promise<void> {
    for (;;) {
      await this.#settled.wait(this.#pauseMs());
      if (this.stop.aborted || this.#replaced.look() || this.#main.position !== this.#savedPosition) return;
      if (this.#room === 0) continue;
      this.#lookForRequests();
      if (this.#commits.changed() || this.#more || this.#toSave.size > 0 || this.#replays.ready.length > 0) return;
      if (this.#nextDueAt !== undefined && this.#nextDueAt <= steadyNow()) return;
    }
  }

  #pauseMs(): number {
    const dueInMs =
      this.#room > 0 && this.#nextDueAt !== undefined ? Math.max(shortestPauseMs, this.#nextDueAt - steadyNow()) : Number.POSITIVE_INFINITY;
    return Math.min(this.#commits.pauseMs(this.#replays.isEmpty), dueInMs);
  }
}
