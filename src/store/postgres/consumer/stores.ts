import type { PostgresAddress } from "../../../config/postgres-url";
import type { ConsumerHistory } from "../../consumer/history";
import type { Share } from "../../consumer/lanes";
import type { ConsumerState } from "../../consumer/state";
import type { ConsumerStore } from "../../consumer/store";
import type { ConsumerStores } from "../../consumer/stores";
import type { ConsumerTables } from "../../consumer/tables";
import { openDatabase } from "../connection/connection";
import { placeOf } from "../connection/place";
import type { Database } from "../connection/queries";
import { Notices } from "../log/notices";
import { freeSpace } from "../scrub";
import { eraseEvents } from "./erasing";
import { MemberTable } from "./member-table";
import { QueueShare } from "./queue-share";
import { consumerHistory, consumerState, ownTables, settledPosition } from "./reading";
import { keepQueueSchema } from "./schema-keeper";
import { schemaNameOf } from "./schema-name";
import { PostgresConsumerStore } from "./store";
import { consumerTables } from "./tables";

const defaultPatienceMs = 30_000;

/** Keeps what each consumer keeps in a PostgreSQL schema of its own, which all processes of the queue share. */
export class PostgresConsumerStores implements ConsumerStores {
  readonly shown: string;
  readonly isShared = true;
  /** Name of this process among those that consume a queue. It is an `application_name`, so it has 63 characters at most. */
  readonly #holder = `warren ${process.pid} ${crypto.randomUUID()}`;
  #database: Database | undefined;
  #notices: Notices | undefined;
  readonly #kept = new Map<string, Promise<string>>();

  constructor(readonly address: PostgresAddress) {
    this.shown = address.shown;
  }

  shownOf(queue: string): string {
    return `the schema "${this.#schemaOf(queue)}" in ${this.address.shown}`;
  }

  async queues(): Promise<string[]> {
    const { query } = this.#open().writer;
    if (!(await this.#isThere())) return [];
    return (await query<{ queue: string }>("SELECT queue FROM warren_consumers ORDER BY queue")).map(({ queue }) => queue);
  }

  async has(queue: string): Promise<boolean> {
    return (await this.queues()).includes(queue);
  }

  async open(queue: string, { durable, patienceMs = defaultPatienceMs }: Parameters<ConsumerStores["open"]>[1]): Promise<ConsumerStore> {
    const schema = await this.#keep(queue);
    if (durable) await this.#noteUse(queue);
    return new PostgresConsumerStore(
      { database: this.#open(), place: placeOf(this.address), schema, holder: this.#holder },
      { durable, patienceMs },
    );
  }

  state(queue: string, logId: string): Promise<ConsumerState> {
    return consumerState(this.#open(), this.#schemaOf(queue), logId);
  }

  history(queue: string, logId: string, eventId: string): Promise<ConsumerHistory> {
    return consumerHistory(this.#open(), this.#schemaOf(queue), logId, eventId);
  }

  async slowest(logId: string): Promise<number | null> {
    const positions = await Promise.all((await this.queues()).map((queue) => settledPosition(this.#open(), this.#schemaOf(queue), logId)));
    const known = positions.filter((position) => position !== null);
    return known.length === 0 ? null : Math.min(...known);
  }

  async changedAt(queue: string): Promise<Date> {
    const [row] = await this.#open().writer.query<{ at: number }>(
      "SELECT (extract(epoch FROM used_at) * 1000)::bigint AS at FROM warren_consumers WHERE queue = $1",
      queue,
    );
    return new Date(row?.at ?? 0);
  }

  async tables(queue: string): Promise<ConsumerTables | undefined> {
    return (await this.has(queue)) ? consumerTables(this.#open(), this.#schemaOf(queue)) : undefined;
  }

  ownTables(queue: string): Promise<string[]> {
    return ownTables(this.#open().writer, this.#schemaOf(queue));
  }

  async erase(queue: string, isChosen: Parameters<ConsumerStores["erase"]>[1], { isDryRun } = { isDryRun: false }): Promise<number> {
    const schema = this.#schemaOf(queue);
    const count = await eraseEvents(this.#open(), schema, isChosen, isDryRun);
    // Later changes overwrite what was deleted.
    if (!isDryRun) await freeSpace({ ...this.address, schema });
    return count;
  }

  async join(queue: string, onChange: () => void): Promise<Share> {
    const schema = await this.#keep(queue);
    await this.#noteUse(queue);
    return new QueueShare(new MemberTable({ query: this.#open().query }, schema, this.#holder), onChange).start();
  }

  async consuming(queue: string): Promise<number> {
    return (await this.has(queue)) ? (await this.state(queue, "")).processes : 0;
  }

  async report(_queue: string, text: string): Promise<void> {
    this.#notices ??= new Notices(this.#open(), this.address.schema);
    this.#notices.tell(`report ${text}`);
  }

  /** The API is told. */
  async reports(): Promise<string[]> {
    return [];
  }

  async remove(queue: string): Promise<boolean> {
    if (!(await this.has(queue))) return true;
    const schema = this.#schemaOf(queue);
    this.#kept.delete(queue);
    return this.#open().transaction(async (queries) => {
      // Nobody can join meanwhile.
      await queries.query(`LOCK TABLE "${schema}".warren_members IN ACCESS EXCLUSIVE MODE`);
      if ((await consumerState(queries, schema, "")).processes > 0) return false;
      await queries.query(`DROP SCHEMA "${schema}" CASCADE`);
      await queries.query("DELETE FROM warren_consumers WHERE queue = $1", queue);
      return true;
    });
  }

  async close(): Promise<void> {
    await this.#database?.close();
    this.#database = undefined;
    this.#notices = undefined;
    this.#kept.clear();
  }

  #open(): Database {
    this.#database ??= openDatabase(this.address, { readers: 1 });
    return this.#database;
  }

  #schemaOf(queue: string): string {
    return schemaNameOf(this.address.schema, queue);
  }

  /** Resolves with the name of a queue's schema, which is there and up to date. */
  #keep(queue: string): Promise<string> {
    const known = this.#kept.get(queue);
    if (known) return known;
    const keeping = keepQueueSchema(this.#open(), this.address, queue);
    this.#kept.set(queue, keeping);
    keeping.catch(() => this.#kept.delete(queue));
    return keeping;
  }

  async #noteUse(queue: string): Promise<void> {
    await this.#open().writer.query("UPDATE warren_consumers SET used_at = clock_timestamp() WHERE queue = $1", queue);
  }

  async #isThere(): Promise<boolean> {
    const [row] = await this.#open().writer.query<{ there: boolean }>("SELECT to_regclass('warren_consumers') IS NOT NULL AS there");
    return row?.there === true;
  }
}
