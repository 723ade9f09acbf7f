import type { Consumer } from "../delivery/consumer-options";
import type { Delivery } from "../delivery/delivery";
import type { Failure } from "../delivery/outcome";
import type { Worker } from "../delivery/worker";
import { messageOf } from "../observe/logging";
import { validTraceparent } from "../observe/traceparent";
import type { ConsumerFile } from "../store/consumer/file";
import { atOnce, type Waiting } from "../store/consumer/waiting-table";
import type { LogEntry } from "../store/log";
import type { ReplayMark } from "../store/replay";
import { whenUnlocked } from "../store/sqlite/lock-wait";
import type { LogFollower } from "../store/sqlite/log-follower";
import { Signal } from "../timing/signal";
import { steadyNow } from "../timing/steady-time";
import { type Kept, keepFailure } from "./keep-failure";
import { LogCursor } from "./log-cursor";
import { PatientWrites } from "./patient-writes";
import type { RunningReplay } from "./running-replay";
import { RunningReplays } from "./running-replays";
import { startCursor } from "./start-cursor";

/** How soon a new event is seen; looking costs about 2 µs. */
const lookEveryMs = 5;
/** How soon a log that cannot be read is tried again. */
const tryEveryMs = 250;
/** How soon a replay or a redriven event that another process wrote into the file is seen. */
const lookForRequestsEveryMs = 100;
const batch = 256;

/** Feeds a worker from the event log, from what waits for its next attempt, and from replays. */
export class EmbeddedConsumer {
  #main = new LogCursor({ position: 0, begun: 0 });
  readonly #replays: RunningReplays;
  #looked = Number.NEGATIVE_INFINITY;
  /** Waiting events that are with the worker now. */
  readonly #retrying = new Set<number>();
  #nextDueAt: number | undefined;
  readonly #settled = new Signal();
  /** How entries of the log that never reached the handler are kept at the end, or those behind them would come again. */
  readonly #putAside = new WeakMap<Delivery, () => void>();
  #savedPosition = -1;
  /** What is to be written as soon as possible. */
  readonly #toSave = new Set<() => void>();
  readonly #writes: PatientWrites;
  /** Whether the log may have more than was read so far, apart from what is committed from now on. */
  #more = true;

  constructor(
    readonly worker: Worker,
    readonly log: LogFollower,
    readonly file: ConsumerFile,
    readonly stop: AbortSignal,
  ) {
    this.#replays = new RunningReplays(worker.consumer, file, log.logId);
    this.#writes = new PatientWrites(worker.consumer, stop);
  }

  get consumer(): Consumer {
    return this.worker.consumer;
  }

  async run(): Promise<void> {
    this.#main = await whenUnlocked(() => startCursor(this.consumer, this.log, this.file));
    this.#nextDueAt = this.file.waiting.nextDueAt(this.#retrying);
    this.log.changed();
    this.consumer.onReady();
    this.stop.addEventListener("abort", () => this.#settled.raise(), { once: true });
    while (!this.stop.aborted) {
      const fed = (await this.#feedReplays()) + (await this.#feedWaiting()) + (await this.#feedLog());
      for (const save of this.#toSave) if (await this.#writes.write(save)) this.#toSave.delete(save);
      if (this.#main.position !== this.#savedPosition) await this.#writes.write(this.#saveMain);
      // Handlers that never wait would keep signals and timers out.
      if (fed > 0) await new Promise(setImmediate);
      else await this.#change();
    }
    const back = this.worker.giveBack();
    await this.worker.drain();
    // Nothing is in hand any more, and so nothing is suspect.
    await this.#writes.write(() =>
      this.file.together(() => {
        for (const delivery of back) this.#putAside.get(delivery)?.();
        this.#main.rest();
        this.#saveMain();
        this.#replays.rest();
      }),
    );
  }

  get #room(): number {
    const inHand = this.#main.inHand + this.#retrying.size + this.#replays.inHand;
    return Math.max(0, this.consumer.prefetch - inHand);
  }

  async #feedWaiting(): Promise<number> {
    const now = steadyNow();
    const room = this.#room;
    if (room === 0 || this.#nextDueAt === undefined || this.#nextDueAt > now) return 0;
    const due = this.file.waiting.due(now, this.#retrying, Math.min(batch, room));
    const begin = () => {
      for (const { number } of due) this.file.waiting.begin(number);
    };
    if (!(await this.#writes.write(() => this.file.together(begin)))) return 0;
    for (const waiting of due) this.#retrying.add(waiting.number);
    this.#nextDueAt = this.file.waiting.nextDueAt(this.#retrying);
    for (const waiting of due) this.#takeWaiting(waiting);
    return due.length;
  }

  #takeWaiting(waiting: Waiting): void {
    const { number, attempts, begun } = waiting;
    this.#hand({ ...waiting, failures: attempts, again: true, suspect: begun === 1 }, () => {
      this.file.waiting.remove(number);
      return () => {
        this.#retrying.delete(number);
        this.#nextDueAt = this.file.waiting.nextDueAt(this.#retrying);
      };
    });
  }

  async #feedLog(): Promise<number> {
    const room = Math.min(this.#room, batch);
    const entries = room === 0 ? [] : await this.#read(this.#main.taken, room);
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
    if (performance.now() - this.#looked > lookForRequestsEveryMs) this.#lookForRequests();
    let fed = 0;
    for (const replay of this.#replays.ready) fed += await this.#feedReplay(replay);
    return fed;
  }

  #lookForRequests(): void {
    this.#looked = performance.now();
    this.#nextDueAt = this.file.waiting.nextDueAt(this.#retrying);
    this.#replays.look();
  }

  async #feedReplay(replay: RunningReplay): Promise<number> {
    const { cursor, selection } = replay;
    const room = Math.min(this.#room, batch);
    const read = room === 0 ? undefined : await this.#read(cursor.taken, room);
    if (!read) return 0;
    const own = replay.ofItsOwn(read);
    if (own.length === 0 && cursor.inHand === 0) await this.#finishReplay(replay);
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
    return entries.length;
  }

  async #finishReplay(replay: RunningReplay): Promise<void> {
    if (!(await this.#writes.write(() => replay.finish(new Date().toISOString())))) return;
    this.#replays.remove(replay);
    this.consumer.log.info({ queue: this.consumer.queue, replay: replay.id, events: replay.sent }, "The replay is finished");
  }

  /** A log that cannot be read now (locked, disk trouble) is read again later. */
  async #read(after: number, limit: number): Promise<LogEntry[] | undefined> {
    try {
      return await this.log.read(after, limit);
    } catch (error) {
      this.consumer.log.warn({ error: messageOf(error) }, "The event log could not be read; it is tried again");
      await Bun.sleep(tryEveryMs);
      return undefined;
    }
  }

  #takeEntry(cursor: LogCursor, entry: LogEntry, replay: ReplayMark, save: () => void): void {
    const settle = cursor.take(entry);
    const suspect = cursor.isSuspect(entry);
    const { id, body, traceparent } = entry;
    const delivery = this.#hand({ id, body, traceparent, failures: 0, firstFailure: null, replay, suspect }, () => () => {
      settle();
      // Or the next death would be counted for this event as well.
      if (suspect) this.#toSave.add(save);
    });
    this.#putAside.set(delivery, () => {
      this.file.waiting.add({ id, body, traceparent, attempts: 0, firstFailure: null, replay, dueAt: atOnce, delayMs: 0 });
      settle();
    });
  }

  /** @param settle is committed together with where the event goes; what it answers runs after that. */
  #hand(message: Omit<Delivery, "gone" | "settle" | "origin"> & Kept, settle: () => () => void): Delivery {
    const { file } = this;
    const { temporary, queue: destination } = this.consumer;
    const traceparent = validTraceparent(message.traceparent);
    const keep = (outcome: Failure) => {
      const dueAt = keepFailure(file, message, outcome, { temporary });
      if (dueAt !== undefined) this.#nextDueAt = Math.min(this.#nextDueAt ?? dueAt, dueAt);
    };
    const settled = this.#settled;
    const delivery: Delivery = {
      ...message,
      origin: { system: "warren", destination, temporary, id: message.id, traceparent },
      gone: false,
      settle: (outcome) => {
        let after = () => {};
        if (outcome.action === "ack") after = settle();
        else
          file.together(() => {
            after = settle();
            keep(outcome);
          });
        after();
        settled.raise();
      },
    };
    this.worker.take(delivery);
    return delivery;
  }

  readonly #saveMain = () => {
    this.file.saveProgress(this.log.logId, this.#main);
    this.#savedPosition = this.#main.position;
  };

  /** Waits for a commit, a settled event, a retry that is due, a replay, or the stop. */
  async #change(): Promise<void> {
    for (;;) {
      await this.#settled.wait(lookEveryMs);
      const now = steadyNow();
      const room = this.#room > 0;
      if (this.stop.aborted || (room && (this.#more || this.log.changed())) || this.#main.position !== this.#savedPosition) return;
      if (room && this.#nextDueAt !== undefined && this.#nextDueAt <= now) return;
      if (room && (this.#replays.ready.length > 0 || performance.now() - this.#looked > lookForRequestsEveryMs)) return;
    }
  }
}
