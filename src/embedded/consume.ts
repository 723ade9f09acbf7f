import type { Consumer } from "../delivery/consumer-options";
import type { Worker } from "../delivery/worker";
import type { Share } from "../store/consumer/lanes";
import type { ConsumerStore } from "../store/consumer/store";
import type { Waiting } from "../store/consumer/waiting-table";
import type { LogReader } from "../store/log";
import type { LogFollower, Notifier } from "../store/log-follower";
import { whenUnlocked } from "../store/open";
import { Signal } from "../timing/signal";
import { Deliveries } from "./deliveries";
import { handEntry } from "./hand-entry";
import { HeldLanes } from "./held-lanes";
import { LaneCursors } from "./lane-cursors";
import { leastRoom, readLog } from "./log-read";
import { PatientWrites } from "./patient-writes";
import { ReplacedFiles } from "./replaced-files";
import { ReplayFeed } from "./replay-feed";
import { Retries } from "./retries";
import { RunningReplays } from "./running-replays";
import { startReading } from "./start-reading";

/** Interval to look for replays and redriven events that other processes write to the store, in milliseconds. */
const lookForRequestsEveryMs = 90;
/** Maximum number of events that go to the worker at once, and of entries that are read to find them. */
const [batch, mostRead] = [256, 512];

/** The parts of a log that an {@link EmbeddedConsumer} uses. */
type FollowedLog = LogReader & Pick<LogFollower, "logId" | "isReplaced" | "notifier" | "schedules" | "find">;

export interface EmbeddedOptions {
  readonly share: Share;
  /** When this process started to consume, if the log it read before is gone. "Now" then means that time. */
  readonly since: Date | undefined;
  onReplaced(): void;
  /** Called when this process gets its first lane, and when it has none any more. */
  onLanes(hasAny: boolean): void;
}

/** Feeds a worker from the event log, from events that wait for their next attempt, and from replays, in the lanes of this process. */
export class EmbeddedConsumer {
  readonly consumer: Consumer;
  readonly #main: LaneCursors;
  readonly #replays: RunningReplays;
  readonly #retries: Retries;
  readonly #deliveries: Deliveries;
  readonly #lanes: HeldLanes;
  readonly #replayFeed: ReplayFeed;
  #looked = Number.NEGATIVE_INFINITY;
  /** Called when nothing is left to do, by calls of {@link rests}. */
  #resting: (() => void)[] = [];
  readonly #settled = new Signal();
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
    readonly options: EmbeddedOptions,
  ) {
    const { consumer } = worker;
    const { share } = options;
    this.consumer = consumer;
    this.#commits = log.notifier(this.wake);
    this.#replaced = new ReplacedFiles(consumer, log, store, options.onReplaced);
    this.#writes = new PatientWrites(consumer, stop);
    this.#main = new LaneCursors(share.count);
    this.#replays = new RunningReplays(consumer, store, log.logId, share.count, () => this.#lanes.active);
    this.#retries = new Retries(store, this.#writes, () => this.#lanes.active, this.wake);
    this.#deliveries = new Deliveries(worker, store, share, this.#main, log.logId, {
      settled: this.wake,
      kept: (dueAt) => this.#retries.add(dueAt),
      lost: (lanes) => this.#lanes.lose(lanes),
    });
    const [main, replays, deliveries, writes] = [this.#main, this.#replays, this.#deliveries, this.#writes];
    this.#replayFeed = new ReplayFeed(consumer, log, replays, deliveries, writes, this.#toSave);
    this.#lanes = new HeldLanes({ consumer, log, store, share, main, replays, deliveries, writes });
  }

  /** Has it look for changes: at once, or as soon as it waits for some. */
  readonly wake = (): void => this.#settled.raise();

  /**
   * Resolves when all that was committed before the call is settled or waits for its time: a retry, or the end of the breaker's pause.
   */
  rests(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resting.push(resolve);
    this.#looked = Number.NEGATIVE_INFINITY;
    this.wake();
    return promise;
  }

  /** Runs until the stop, until all of a replaced log is settled, or until nothing is in progress for a replaced file. */
  async run(): Promise<void> {
    const begin = () => startReading(this.consumer, this.log, this.store, this.options.since);
    if (!(await this.#writes.write(begin))) return;
    await this.#patiently(() => this.#followLanes());
    this.#commits.changed();
    this.consumer.onReady();
    // The loop may be in the middle of a step. Until it looks at the stop, the worker would begin further events.
    this.stop.addEventListener("abort", () => void this.worker.drain(), { once: true });
    this.stop.addEventListener("abort", this.wake, { once: true });
    while (!this.stop.aborted) if (await this.#patiently(() => this.#goOn())) return this.#retries.end();
    this.#retries.end();
    await this.worker.drain();
    await this.#lanes.end();
  }

  /** Resolves as a step does, or with undefined if the store is unavailable, after a pause. */
  async #patiently<T>(step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await whenUnlocked(step);
    } catch (error) {
      await this.#writes.pauseFor(error);
      return undefined;
    }
  }

  /** Reads on, or waits until there is something to do. Resolves with true if there is nothing left of a replaced log or file. */
  async #goOn(): Promise<boolean> {
    await this.#followLanes();
    const replaced = await this.#replaced.look();
    const fed = replaced ? 0 : (await this.#feedReplays()) + (await this.#feedWaiting());
    const read = replaced === "file" ? 0 : await this.#feedLog();
    for (const save of this.#toSave) if (await this.#writes.write(save)) this.#toSave.delete(save);
    if (this.#main.hasMoved) await this.#writes.write(this.#saveMain);
    this.consumer.storeTrouble.end();
    // Without this, handlers that never wait would block signals and timers.
    if (fed + read > 0) await new Promise(setImmediate);
    else if (replaced && this.#deliveries.inHand === 0) return true;
    else await this.#change();
    return false;
  }

  get #isResting(): boolean {
    return this.#replays.isEmpty && (this.#deliveries.inHand === 0 || this.worker.isPaused());
  }

  get #room(): number {
    return Math.max(0, this.consumer.prefetch - this.#deliveries.inHand);
  }

  async #followLanes(): Promise<void> {
    const had = this.#main.isEmpty;
    if (await this.#lanes.follow()) {
      this.#more = true;
      await this.#retries.look();
    }
    if (this.#main.isEmpty !== had) this.options.onLanes(!this.#main.isEmpty);
  }

  async #feedReplays(): Promise<number> {
    await this.#lookForRequests();
    return this.#replayFeed.feed(() => Math.min(this.#room, batch));
  }

  async #feedWaiting(): Promise<number> {
    const due = await this.#retries.take(Math.min(batch, this.#room));
    for (const waiting of due) this.#takeWaiting(waiting);
    return due.length;
  }

  #takeWaiting(waiting: Waiting): void {
    const { number, attempts, begun } = waiting;
    const lane = this.#main.of(waiting.lane)?.lane;
    // It was lost meanwhile.
    if (!lane) {
      this.#retries.settle(number);
      return;
    }
    this.#deliveries.hand(
      { ...waiting, failures: attempts, again: true, suspect: begun === 1 },
      {
        lane,
        position: undefined,
        isKept: true,
        remove: (own) => own.waiting.remove(number),
        settle: () => this.#retries.settle(number),
        giveBack: async (own) => {
          await own.waiting.rest([number]);
          this.#retries.settle(number);
        },
      },
    );
  }

  async #feedLog(): Promise<number> {
    const room = Math.min(this.#room, batch);
    if (room < leastRoom(this.consumer, batch) || this.#main.isEmpty) return 0;
    // Other processes have the other lanes.
    const limit = Math.min(mostRead, Math.ceil(room / this.#main.part));
    const read = await readLog(this.log, this.consumer.log, this.#main.taken, limit);
    const entries = read && this.#main.fitting(read, room, this.consumer.wanted);
    this.#more = !read || read.length === limit || entries?.length !== read.length;
    const last = entries?.at(-1);
    if (!entries || !last || this.stop.aborted) return 0;
    const wanted = entries.filter(({ type }) => this.consumer.wanted.has(type));
    if (this.#main.begin(wanted, last.position) && !(await this.#writes.write(this.#saveMain))) return 0;
    for (const entry of wanted) {
      const cursor = this.#main.for(entry);
      if (cursor) handEntry(this.#deliveries, cursor, entry, this.#reading);
    }
    this.#main.pass(last.position);
    return entries.length;
  }

  async #lookForRequests(): Promise<void> {
    if (performance.now() - this.#looked < lookForRequestsEveryMs) return;
    this.#looked = performance.now();
    if (!(await this.store.changed())) return;
    await this.#retries.look();
    await this.#replays.look();
  }

  readonly #reading = { replay: "no", suspectSettled: () => void this.#toSave.add(this.#saveMain), forgotten() {} } as const;

  readonly #saveMain = async () => {
    const progress = this.#main.unsaved;
    if (progress.length === 0) return;
    const lost = await this.store.saveProgress(this.log.logId, progress);
    this.#main.save(progress);
    this.#lanes.lose(lost);
  };

  /** Waits for a commit, a settled event, a retry that is due, a replay, a replaced file, a change of the lanes, or the stop. */
  async #change(): Promise<void> {
    for (;;) {
      await this.#settled.wait(this.#commits.pauseMs(this.#replays.isEmpty));
      const resting = this.#resting.length;
      await this.#followLanes();
      if (this.stop.aborted || (await this.#replaced.look()) || this.#main.hasMoved) return;
      if (this.#room > 0) {
        await this.#lookForRequests();
        if (this.#commits.changed() || this.#more || this.#toSave.size > 0 || this.#replays.ready.length > 0 || this.#retries.isDue) return;
      }
      if (this.#isResting) for (const resolve of this.#resting.splice(0, resting)) resolve();
    }
  }
}
