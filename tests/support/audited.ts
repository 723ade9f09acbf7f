// Records changes made over HTTP, and reads the history that the audit has of them.
import { consumerStores } from "../../src/store/open";
import type { Places } from "./engines";
import { eventually, type Running, type RunOptions, run, send } from "./processes";

/** A change as the audit should record it: `7 2 updated {"id":7,…}`. */
export type Line = string;

interface Recorded {
  readonly id: number;
  readonly version: number;
}

/** Makes changes, and keeps the API's response to each. */
export class Changes {
  readonly done: Line[] = [];

  constructor(readonly url: string) {}

  async create(body: object): Promise<number> {
    return this.#note("created", await send("POST", `${this.url}/items`, body));
  }
  async update(id: number, body: object): Promise<void> {
    await this.#note("updated", await send("PUT", `${this.url}/items/${id}`, body));
  }
  async remove(id: number): Promise<void> {
    const last = await (await send("GET", `${this.url}/items/${id}`)).text();
    const answer = await send("DELETE", `${this.url}/items/${id}`);
    if (answer.status !== 204) throw new Error(`DELETE: ${answer.status}`);
    this.#add("deleted", last);
  }

  /** Simulates the life of one item: created, updated a few times, and deleted if its number is even. */
  async live(number: number, name: string): Promise<void> {
    const id = await this.create({ name, price: number });
    for (let change = 1; change <= number % 4; change += 1) await this.update(id, { name: `${name} ${change}`, price: number });
    if (number % 2 === 0) await this.remove(id);
  }

  async #note(change: string, answer: Response): Promise<number> {
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${change}: ${answer.status} ${text}`);
    return this.#add(change, text);
  }
  #add(change: string, state: string): number {
    const { id, version } = JSON.parse(state) as Recorded;
    this.done.push(`${id} ${version} ${change} ${state}`);
    return id;
  }
}

/** Reads what the audit has written, while it runs. */
export function auditIn(places: Places) {
  const read = async <T>(sql: string): Promise<T[]> => {
    const stores = consumerStores(places);
    const tables = await stores.tables("audit");
    try {
      return tables && (await tables.has("history")) ? await tables.all<T>(sql) : [];
    } finally {
      await tables?.close();
      await stores.close();
    }
  };
  const count = async (table: string) => (await read<{ count: number }>(`SELECT count(*) AS count FROM ${table}`))[0]?.count ?? 0;
  return {
    count: () => count("history"),
    /** Returns every row, ordered by record and version. */
    async lines() {
      const rows = await read<{ line: Line }>(
        "SELECT concat(record, ' ', version, ' ', change, ' ', state) AS line FROM history ORDER BY record, version, change = 'deleted'",
      );
      return rows.map(({ line }) => line);
    },
    /** Returns the state besides the history. */
    state: async () => ({
      forgotten: await read("SELECT event FROM history EXCEPT SELECT id FROM warren_inbox"),
      withoutEffect: await read("SELECT id FROM warren_inbox EXCEPT SELECT event FROM history"),
      dead: await read("SELECT id, reason, error FROM warren_dead"),
      waiting: await count("warren_waiting"),
    }),
    until: async (least: number, timeoutMs?: number) =>
      eventually(
        async () => ((await count("history")) >= least ? true : undefined),
        `${least} events in the history (there are ${await count("history")})`,
        timeoutMs,
      ),
  };
}

export async function startAudit(options: RunOptions): Promise<Running> {
  const audit = run(["consumers/audit.ts"], options);
  await audit.line("The audit is running");
  return audit;
}

/** Runs `consumers/audit.ts --show` until it exits. */
export async function show(args: readonly string[], options: RunOptions): Promise<{ code: number; stdout: string[]; stderr: string[] }> {
  const shown = run(["consumers/audit.ts", "--show", ...args], options);
  const code = await shown.exited;
  return { code, stdout: [...shown.stdout], stderr: [...shown.stderr] };
}

/** Sorts lines in the order of {@link auditIn}'s `lines`. */
export function inOrder(lines: readonly Line[]): Line[] {
  const key = (line: Line) => {
    const [id, version, change] = line.split(" ", 3);
    return [Number(id), Number(version), change === "deleted" ? 1 : 0] as const;
  };
  return [...lines].sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
  });
}
