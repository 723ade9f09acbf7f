import type { AttemptTable } from "../../consumer/attempt-table";
import type { Lane, Progress } from "../../consumer/lanes";
import type { ConsumerData, ConsumerStore } from "../../consumer/store";
import type { Transaction } from "../../consumer/transaction";
import { PositionBeyondLog } from "../../errors";
import type { Database, TransactionQueries, Value } from "../connection/queries";
import { logStateIn } from "../log/log-state";
import { handlerStatements, PostgresConsumerData } from "./data";
import { notesIn } from "./notes";
import { setUpOnce } from "./set-up";
import { TransactionData } from "./transaction-data";
import { PostgresEnd } from "./transaction-end";

/** Interval at which others' writes, such as a redrive, are taken into account, in milliseconds. */
const lookEveryMs = 500;
/** How much longer a transaction may wait for this process than a handler may take, in milliseconds. */
const idleGraceMs = 5000;

export interface QueueAddress {
  readonly database: Database;
  /** Identifies the database among all. */
  readonly place: string;
  /** Name of the PostgreSQL schema of the queue. */
  readonly schema: string;
  /** Name of this process among those that consume the queue. Its transactions have it as their `application_name`. */
  readonly holder: string;
}

export interface StoreLimits {
  /** True if each commit must survive a power cut. */
  readonly durable: boolean;
  /** Maximum duration of a statement of a transaction, of a wait for a lock, and between two statements, in milliseconds. */
  readonly patienceMs: number;
}

/** The store of a consumer in the PostgreSQL schema of its queue, which all processes of the queue share. */
export class PostgresConsumerStore extends PostgresConsumerData implements ConsumerStore {
  readonly attempts: AttemptTable;
  readonly countDeath: ConsumerStore["countDeath"];
  readonly forgetDeaths: ConsumerStore["forgetDeaths"];
  readonly #within: WithinQueue;
  readonly #schema: string;
  readonly #address: QueueAddress;
  #lookedAt = performance.now();

  constructor(address: QueueAddress, limits: StoreLimits) {
    const within = withinQueue(address, limits);
    const { writer } = address.database;
    const access = { query: writer.query, change: writer.change, table: (name: string) => `"${address.schema}".${name}` };
    const alone = handlerStatements({
      query: <Row>(sql: string, ...values: Value[]) => within((queries) => queries.query<Row>(sql, ...values)),
      change: (sql, ...values) => within((queries) => queries.change(sql, ...values)),
    });
    super(access, alone);
    this.#address = address;
    this.#within = within;
    this.#schema = address.schema;
    ({ attempts: this.attempts, countDeath: this.countDeath, forgetDeaths: this.forgetDeaths } = notesIn(access));
  }

  override async takeLanes(logId: string, lanes: readonly Lane[]): Promise<Progress[]> {
    const taken = await super.takeLanes(logId, lanes);
    await this.#refuseBeyondEnd(logId, Math.max(...taken.map(({ position }) => position)));
    return taken;
  }

  /** The log and the positions are in one database, and are lost together with it, unless a part of them was restored from a backup. */
  async #refuseBeyondEnd(logId: string, position: number): Promise<void> {
    const { database, schema } = this.#address;
    const log = await logStateIn(database.writer);
    if (log?.logId !== logId || position <= log.end) return;
    throw new PositionBeyondLog(
      `The consumer's position ${position}, kept in the schema "${schema}", is after the end of the event log, ${log.end}: the log was restored from an ` +
        "older backup than the consumer's schema, and the next events would be passed over. Restore both from the same backup. Or, with the " +
        "consumer stopped, remove its queue with `bun run queues remove`: it then handles the whole log again, and what it kept is lost.",
    );
  }

  together<T>(change: (own: ConsumerData) => Promise<T>): Promise<T> {
    const end = new PostgresEnd(this.#address.place);
    return end.of<T>(this.#within, (queries) => change(TransactionData.within(queries, this.access.table, end)));
  }

  setUp(setup: (tx: Transaction) => Promise<void>): Promise<void> {
    return this.#within((queries) => setUpOnce(queries, TransactionData.within(queries, this.access.table), this.#schema, setup));
  }

  async bound(): Promise<void> {
    await this.waiting.bound(0);
    await this.inbox.bound();
  }

  async changed(): Promise<boolean> {
    const now = performance.now();
    if (now - this.#lookedAt < lookEveryMs) return false;
    this.#lookedAt = now;
    return true;
  }

  async isReplaced(): Promise<boolean> {
    return false;
  }

  /** The connections are those of all stores of this process. */
  async close(): Promise<void> {}
}

type WithinQueue = <T>(work: (queries: TransactionQueries) => Promise<T>) => Promise<T>;

/** Returns a function that runs work in a transaction in which statements name tables of the queue's schema. */
function withinQueue({ database, schema, holder }: QueueAddress, { durable, patienceMs }: StoreLimits): WithinQueue {
  const settings = {
    search_path: `"${schema}"`,
    // Without, the last commits before a power cut may be lost, but each with all that came after it.
    synchronous_commit: durable ? "on" : "off",
    lock_timeout: String(patienceMs),
    idle_in_transaction_session_timeout: String(patienceMs + idleGraceMs),
    application_name: holder,
  };
  const names = Object.keys(settings);
  const set = `SELECT ${names.map((name, index) => `set_config('${name}', $${index + 1}, true)`).join(", ")}`;
  return (work) =>
    database.transaction(
      (queries) => {
        // Not awaited: what follows comes after it on the same connection, and if it fails, so does all that follows.
        queries.query(set, ...Object.values(settings)).catch(() => {});
        return work(queries);
      },
      { statementMs: patienceMs },
    );
}
