import type { Consumer } from "../delivery/consumer-options";
import type { LogReader } from "../store/log";
import type { Deliveries } from "./deliveries";
import { handEntry, type Reading } from "./hand-entry";
import { readLog } from "./log-read";
import type { PatientWrites } from "./patient-writes";
import type { RunningReplay } from "./running-replay";
import type { RunningReplays } from "./running-replays";

/** Feeds a worker with the events of replays. */
export class ReplayFeed {
  /** @param toSave takes progress to write as soon as possible. */
  constructor(
    readonly consumer: Consumer,
    readonly log: LogReader,
    readonly replays: RunningReplays,
    readonly deliveries: Deliveries,
    readonly writes: PatientWrites,
    readonly toSave: Set<() => Promise<void>>,
  ) {}

  /**
   * Reads on in each replay that may go on.
   *
   * @param room returns how many events to read at most.
   * @returns the number of entries that were read.
   */
  async feed(room: () => number): Promise<number> {
    let fed = 0;
    for (const replay of this.replays.ready) fed += await this.#feed(replay, room());
    return fed;
  }

  async #feed(replay: RunningReplay, room: number): Promise<number> {
    const { cursors } = replay;
    if (room === 0) return 0;
    const read = replay.isRead ? [] : await readLog(this.log, this.consumer.log, cursors.taken, room);
    if (!read) return 0;
    const own = replay.ofItsOwn(read);
    if (own.length === 0) {
      replay.endReading();
      if (replay.isSettled) await this.writes.write(() => this.replays.finish(replay));
      return 0;
    }
    const entries = replay.allowed(own);
    const last = entries.at(-1);
    if (!last) return 0;
    const wanted = entries.filter((entry) => replay.wants(entry));
    if (cursors.begin(wanted, last.position) && !(await this.writes.write(replay.save))) return 0;
    const reading: Reading = {
      replay: replay.selection.force ? "forced" : "yes",
      suspectSettled: () => this.toSave.add(replay.save),
      forgotten: (lane) => replay.count(lane, -1),
    };
    for (const entry of wanted) {
      const cursor = cursors.for(entry);
      if (!cursor) continue;
      replay.count(cursor.lane, 1);
      handEntry(this.deliveries, cursor, entry, reading);
    }
    cursors.pass(last.position);
    // Save the progress of a slow replay so that users see it.
    if (replay.isHeldBack) await this.writes.write(replay.save);
    return entries.length;
  }
}
