import type { LogEntry, LogReader, Scan, Scanned } from "../../src/store/log";
import type { Store } from "../../src/store/store";

/** An event log and the relay's position in it, in memory. */
export class MemoryLog implements LogReader {
  readonly entries: LogEntry[] = [];
  /** Every stored position, in order. */
  readonly saved: number[] = [];
  /** Error of the next read. */
  readTrouble: Error | undefined;
  /** Error of every save while it is set. */
  saveTrouble: Error | undefined;
  stored = 0;
  /** Number of calls of `read`. */
  reads = 0;
  /** Number of the last leadership. */
  epoch = 0;

  readonly relayed: Store["relayed"] = {
    load: async () => this.stored,
    takeOver: async ({ epoch }) => {
      this.epoch = epoch;
      return this.stored;
    },
    save: async (position, { epoch }) => {
      if (this.saveTrouble) throw this.saveTrouble;
      if (epoch < this.epoch) return false;
      this.saved.push(position);
      this.stored = position;
      return true;
    },
  };

  /** Returns the new events. */
  append(count: number, options: { type?: string; bytes?: number } = {}): readonly LogEntry[] {
    for (let n = 0; n < count; n += 1) {
      const position = this.entries.length + 1;
      this.entries.push({
        position,
        id: `event-${position}`,
        type: options.type ?? "item.created",
        subject: position,
        timestamp: "2026-02-18T18:23:45.123Z",
        body: "x".repeat(options.bytes ?? 10),
        traceparent: null,
      });
    }
    return this.entries.slice(-count);
  }

  async read(position: number, limit: number): Promise<LogEntry[]> {
    this.reads += 1;
    const { readTrouble } = this;
    this.readTrouble = undefined;
    if (readTrouble) throw readTrouble;
    return this.entries.slice(position, position + limit);
  }

  async scan(position: number, { types, subject, limit }: Scan): Promise<Scanned> {
    const entries = (await this.read(position, this.entries.length))
      .filter((entry) => (types === null || types.includes(entry.type)) && (subject === null || entry.subject === subject))
      .slice(0, limit);
    const full = entries.length === limit;
    return { entries, position: full ? (entries.at(-1)?.position ?? position) : this.entries.length };
  }

  async scanBack(before: number, { types, subject, limit }: Scan): Promise<Scanned> {
    const entries = this.entries
      .filter(({ position }) => position < before)
      .filter((entry) => (types === null || types.includes(entry.type)) && (subject === null || entry.subject === subject))
      .reverse()
      .slice(0, limit);
    return { entries, position: entries.length === limit ? (entries.at(-1)?.position ?? 1) : 1 };
  }

  async pruned(): Promise<number> {
    return 0;
  }

  async positionBefore(time: string): Promise<number> {
    return this.entries.findLast((entry) => entry.timestamp < time)?.position ?? 0;
  }

  async end(): Promise<number> {
    return this.entries.length;
  }
}
