import { messageOf } from "../observe/logging";
import type { ConsumerFile, Parked } from "../store/consumer-file";
import { openConsumerFile } from "../store/consumer-file";
import { acquireLock, type Lock } from "../store/lock";
import { followLog, type LogFollower } from "../store/log-follower";
import type { LogEntry } from "../store/store";
import { attempt, type Consumer, describe } from "./attempt";
import { decide } from "./outcome";

/** How soon a new event is seen; looking costs about 2 µs. */
const lookEveryMs = 5;
/** How soon a missing database, or a lock that another process gives back, is noticed. */
const tryEveryMs = 250;
const batch = 256;

/**
 * Handles the event log without a broker: from this consumer's own durable position, with the retries and dead letters
 * that RabbitMQ would keep in a file of its own.
 *
 * @param stop ends it after the event in hand.
 * @param logFile the database of the API; it may be made later.
 * @param stateFile the consumer's own file; not used by a temporary consumer.
 */
export async function consumeLog(consumer: Consumer, logFile: string, stateFile: string, stop: AbortSignal): Promise<void> {
  const lock = consumer.temporary ? noLock : await standBy(consumer, stateFile, stop);
  if (!lock) return;
  const file = openConsumerFile(consumer.temporary ? ":memory:" : stateFile);
  try {
    const log = followLog(logFile) ?? (await waitForLog(consumer, logFile, stop));
    if (!log) return;
    try {
      await new EmbeddedConsumer(consumer, log, file, stop).run();
    } finally {
      log.close();
    }
  } finally {
    file.close();
    lock.release();
  }
}

class EmbeddedConsumer {
  /** Everything up to here is settled or parked. */
  #position = 0;
  #saved = 0;

  constructor(
    readonly consumer: Consumer,
    readonly log: LogFollower,
    readonly file: ConsumerFile,
    readonly stop: AbortSignal,
  ) {}

  async run(): Promise<void> {
    await this.#start();
    this.log.changed();
    this.consumer.onReady();
    while (!this.stop.aborted) {
      const entries = await this.#read();
      for (const entry of entries) {
        if (this.stop.aborted) break;
        await this.#retryWhatIsDue();
        if (this.consumer.wanted.has(entry.type)) await this.#handle(entry);
        this.#position = entry.position;
      }
      this.#savePosition();
      await this.#retryWhatIsDue();
      if (entries.length === 0) await this.#change();
      // Handlers that never wait would keep signals and timers out.
      else await new Promise(setImmediate);
    }
    this.#savePosition();
  }

  async #start(): Promise<void> {
    const { temporary, queue, log } = this.consumer;
    const end = await this.log.end();
    const position = this.file.position(this.log.logId) ?? (temporary ? end : 0);
    this.#position = this.#saved = position;
    log.debug({ queue, position, end }, "Reading the event log");
  }

  /** A log that cannot be read now (locked, disk trouble) is read again later. */
  async #read(): Promise<LogEntry[]> {
    try {
      return await this.log.read(this.#position, batch);
    } catch (error) {
      this.consumer.log.warn({ error: messageOf(error) }, "The event log could not be read; it is tried again");
      await Bun.sleep(tryEveryMs);
      return [];
    }
  }

  async #handle(entry: LogEntry): Promise<void> {
    await this.#attempt({ position: entry.position, body: entry.body, attempts: 0 }, () => {
      this.#position = entry.position;
      this.#savePosition();
    });
  }

  async #retryWhatIsDue(): Promise<void> {
    for (let parked = this.file.next(); parked && parked.dueAt <= Date.now() && !this.stop.aborted; parked = this.file.next()) {
      const { position } = parked;
      await this.#attempt(parked, () => this.file.unpark(position));
    }
  }

  /** @param settled is committed together with where the event goes when it fails. */
  async #attempt(event: Pick<Parked, "position" | "body" | "attempts"> & { firstFailure?: string }, settled: () => void): Promise<void> {
    const { consumer, file } = this;
    const result = await attempt(consumer, event.body, event.attempts);
    const outcome = decide(result, event.attempts, consumer.retry, Math.random());
    if (outcome.action === "ack") {
      // A fresh event needs no write of its own: the position is stored once for a whole batch.
      if (event.attempts > 0) settled();
      return;
    }
    const now = new Date().toISOString();
    const { message, stack } = describe(outcome.error);
    const failed = {
      position: event.position,
      body: event.body,
      attempts: outcome.attempts,
      firstFailure: event.firstFailure ?? now,
      lastFailure: now,
      error: message,
    };
    file.together(() => {
      settled();
      if (outcome.action === "retry") file.park({ ...failed, dueAt: Date.now() + outcome.delayMs });
      else file.bury({ ...failed, reason: outcome.reason, stack });
    });
    const about = { queue: consumer.queue, position: event.position, attempts: outcome.attempts, error: message };
    if (outcome.action === "retry")
      consumer.log.warn({ ...about, delayMs: outcome.delayMs }, "The handler failed; the event is tried again later");
    else consumer.log.error({ ...about, reason: outcome.reason }, "An event was given up");
  }

  #savePosition(): void {
    if (this.#position === this.#saved) return;
    this.file.save(this.log.logId, this.#position);
    this.#saved = this.#position;
  }

  /** Waits for a commit, a retry that is due, or the stop. */
  async #change(): Promise<void> {
    const dueAt = this.file.next()?.dueAt ?? Number.POSITIVE_INFINITY;
    while (!this.stop.aborted && !this.log.changed() && Date.now() < dueAt) await Bun.sleep(lookEveryMs);
  }
}

const noLock: Lock = { release() {} };

/** One process works on a queue; any other waits here until that one is gone. */
async function standBy(consumer: Consumer, stateFile: string, stop: AbortSignal): Promise<Lock | undefined> {
  for (let told = false; !stop.aborted; told = true) {
    const lock = acquireLock(`${stateFile}.lock`);
    if (lock) return lock;
    if (!told) {
      consumer.log.info(
        { queue: consumer.queue },
        "Another process works on this queue; this one stands by and takes over when that one ends. To share the work, run RabbitMQ",
      );
    }
    await Bun.sleep(tryEveryMs);
  }
  return undefined;
}

async function waitForLog(consumer: Consumer, logFile: string, stop: AbortSignal): Promise<LogFollower | undefined> {
  consumer.log.info({ database: logFile }, "Waiting for the API to make its database: start it with `bun run dev`");
  while (!stop.aborted) {
    const log = followLog(logFile);
    if (log) return log;
    await Bun.sleep(tryEveryMs);
  }
  return undefined;
}
