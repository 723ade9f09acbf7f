import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { LogFollower } from "../../src/store/log-follower";
import { openConsumerTables } from "../../src/store/sqlite/consumer/own-tables";
import { followLog } from "../../src/store/sqlite/log-follower";
import type { ConsumerRecord, Happening, Kind, Logged } from "./history";
import { type Role, roleNames, roles } from "./roles";
import type { System } from "./system";

const batch = 1000;

/** Records of the log and of the consumers so far, read while they work. */
export class Records {
  readonly log: Logged[] = [];
  readonly #handled: Readonly<Record<Role, Happening[]>> = { shared: [], filtered: [], once: [] };
  readonly #offsets = new Map<Role, number>();
  #follower: LogFollower | undefined;
  #position = 0;
  #number = 0;

  constructor(readonly system: System) {}

  get consumers(): ConsumerRecord[] {
    return roleNames.map((role) => {
      const { kinds, exactlyOnce } = roles[role];
      return { name: role, kinds, exactlyOnce, handled: this.#handled[role] };
    });
  }

  /** Reads new records. Resolves with their number. */
  async read(): Promise<number> {
    let count = await this.#readLog();
    for (const role of roleNames) count += roles[role].exactlyOnce ? await this.#readEffects(role) : this.#readFile(role);
    return count;
  }

  /** Returns the number of events in the log that consumers have yet to handle. */
  missing(): number {
    return this.consumers.reduce((sum, { kinds, handled }) => {
      const ids = new Set(handled.map(({ id }) => id));
      return sum + this.log.filter(({ id, kind }) => kinds.includes(kind) && !ids.has(id)).length;
    }, 0);
  }

  close(): void {
    this.#follower?.close();
  }

  async #readLog(): Promise<number> {
    this.#follower ??= followLog(this.system.databaseFile);
    let count = 0;
    for (let full = this.#follower !== undefined; full; ) {
      const entries = (await this.#follower?.read(this.#position, batch)) ?? [];
      for (const { position, id, type, subject, body } of entries) {
        const { item } = JSON.parse(body) as { item: { version: number; name: string } };
        this.log.push({ id, kind: type.slice("item.".length) as Kind, item: subject, version: item.version, name: item.name });
        this.#position = position;
      }
      count += entries.length;
      full = entries.length === batch;
    }
    return count;
  }

  #readFile(role: Role): number {
    const path = this.system.recordFile(role);
    if (!existsSync(path)) return 0;
    const file = openSync(path, "r");
    const offset = this.#offsets.get(role) ?? 0;
    const pieces: Buffer[] = [];
    try {
      for (let at = offset; ; ) {
        const piece = Buffer.alloc(65_536);
        const size = readSync(file, piece, 0, piece.length, at);
        if (size === 0) break;
        pieces.push(piece.subarray(0, size));
        at += size;
      }
    } finally {
      closeSync(file);
    }
    const text = Buffer.concat(pieces).toString();
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    this.#offsets.set(role, offset + whole.length);
    const lines = whole.split("\n").filter(Boolean);
    for (const line of lines) {
      const [id = "", kind, item, version] = line.split(" ");
      this.#handled[role].push({ id, kind: kind as Kind, item: Number(item), version: Number(version) });
    }
    return lines.length;
  }

  async #readEffects(role: Role): Promise<number> {
    const tables = openConsumerTables(join(this.system.dataDir, "consumers", `${roles[role].queue}.db`));
    try {
      if (!tables || !(await tables.has("effects"))) return 0;
      const rows = await tables.all<Happening & { number: number }>("SELECT * FROM effects WHERE number > ? ORDER BY number", this.#number);
      for (const { number, ...happening } of rows) {
        this.#handled[role].push(happening);
        this.#number = number;
      }
      return rows.length;
    } finally {
      await tables?.close();
    }
  }
}
