// Several API processes on one schema of PostgreSQL.
import type { PostgresSchema } from "./postgres";
import { type Api, eventually, send, startApi } from "./processes";

/** Starts and finds API processes that share a schema, and looks at what they share. */
export class ApiGroup {
  readonly apis: Api[] = [];

  /** @param preload file to load before the source of each process. */
  constructor(
    readonly schema: PostgresSchema,
    readonly env: Record<string, string>,
    readonly preload?: string,
  ) {}

  /** @param more environment of these processes only. */
  async start(count = 1, more: Record<string, string> = {}): Promise<void> {
    const env = { PORT: "0", RABBITMQ_URL: "none", DATABASE_URL: this.schema.url, ...this.env, ...more };
    for (let n = 0; n < count; n += 1) this.apis.push(await startApi({ env }, this.preload));
  }

  /** Resolves with the process that leads a task, once one other than those excluded does. */
  leader(task: string, not: readonly Api[] = []): Promise<Api> {
    return eventually(async () => {
      const [lease] = await this.schema.evaluate<{ holder: string }>(
        `SELECT holder FROM warren_leases WHERE name = '${task}' AND expires_at > clock_timestamp()`,
      );
      const pid = Number(lease?.holder.split(" ")[1]);
      return this.apis.find((api) => api.pid === pid && !not.includes(api));
    }, `another process to lead ${task}`);
  }

  /** Returns the processes other than one. */
  others(api: Api): Api[] {
    return this.apis.filter((each) => each !== api);
  }

  /** Creates items through a process. */
  async create(api: Api, count: number): Promise<void> {
    const lines = Array.from({ length: count }, (_, n) => JSON.stringify({ name: `item ${n}` })).join("\n");
    const answer = await fetch(`${api.url}/items/bulk`, {
      method: "POST",
      body: lines,
      headers: { "content-type": "application/x-ndjson" },
    });
    if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
  }

  /** Creates one item through a process. Resolves with the status. */
  async createOne(api: Api): Promise<number> {
    return (await send("POST", `${api.url}/items`, { name: "item" })).status;
  }

  /** Resolves with the ids of all events, in the order of the log. */
  async log(): Promise<string[]> {
    return (await this.schema.evaluate<{ id: string }>("SELECT id::text AS id FROM events ORDER BY position")).map(({ id }) => id);
  }

  /** Resolves with the stored position of the relay. */
  async relayed(): Promise<number> {
    return (await this.schema.evaluate<{ position: number }>("SELECT position::int FROM relay"))[0]?.position ?? 0;
  }

  async end(): Promise<number> {
    return (await this.schema.evaluate<{ end: number }>(`SELECT coalesce(max(position), 0)::int AS "end" FROM events`))[0]?.end ?? 0;
  }

  /** Resolves when RabbitMQ has confirmed everything. */
  async allRelayed(): Promise<void> {
    await eventually(async () => ((await this.relayed()) >= (await this.end()) ? true : undefined), "all events to be confirmed", 60_000);
  }
}
