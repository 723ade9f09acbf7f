import { SQL } from "bun";
import type { PostgresAddress } from "../../../config/postgres-url";
import { StoreUnavailable } from "../../errors";
import { OutcomeUnknown, translated } from "./errors";
import type { Value } from "./queries";
import { type Result, withNumbers } from "./rows";
import { connectionOptions, type Limits } from "./settings";

/** How much longer than the server's limit to wait for the answer to a statement, in milliseconds. */
const graceMs = 2000;
/** A process that was suspended gets the answers that came meanwhile only after its timers, so a late timer gives them this time. */
const lateMs = 1000;

/** Statements on the connection of a {@link Line}, in any way that its user needs. */
export interface Session {
  run<Row>(sql: string, values: readonly Value[]): Promise<Row[]>;
  /** Runs a statement. Resolves with the number of rows that it changed. */
  change(sql: string, values: readonly Value[]): Promise<number>;
  /** Runs a script of several statements without parameters. */
  script(sql: string): Promise<void>;
  /** Runs a statement without parameters. Resolves with the name of what the server did: `ROLLBACK` for a COMMIT that failed. */
  command(sql: string): Promise<string | null>;
}

type Reject = (error: unknown) => void;

/**
 * One connection to the database, opened when it is needed and again after it was lost. Statements run in the order in which they
 * are called, and are sent without waiting for the answers to earlier ones.
 */
export class Line {
  #client: SQL | undefined;
  #isClosed = false;
  readonly #pending = new Set<Reject>();
  /** When the last answer came, or the first statement was sent after that. */
  #progressAt = 0;
  #timer: Timer | undefined;
  /** When the timer ends. */
  #dueAt = 0;
  #statementMs: number;

  /**
   * @param purpose what the line is for, in the server's list of connections.
   * @param settings more of the server's settings.
   */
  constructor(
    readonly address: PostgresAddress,
    readonly purpose: string,
    readonly limits: Limits,
    readonly settings: Readonly<Record<string, string>> = {},
  ) {
    this.#statementMs = limits.statementMs;
  }

  /** Number of statements that have no answer yet. */
  get pending(): number {
    return this.#pending.size;
  }

  async run<Row>(sql: string, values: readonly Value[]): Promise<Row[]> {
    const client = this.#open();
    return rowsOf<Row>(await this.#answer(client, statementOn(client, sql, values)));
  }

  /** Runs a statement. Resolves with the number of rows that it changed. */
  async change(sql: string, values: readonly Value[]): Promise<number> {
    const client = this.#open();
    return changedBy(await this.#answer(client, statementOn(client, sql, values)));
  }

  /**
   * Runs work that needs the connection for itself, such as a transaction. No other statement may run on the line meanwhile.
   *
   * @param statementMs the server's limit for its statements.
   */
  async reserve<T>(work: (session: Session) => Promise<T>, statementMs = this.limits.statementMs): Promise<T> {
    const client = this.#open();
    this.#statementMs = statementMs;
    const reserved = await this.#answer(client, client.reserve());
    try {
      return await work({
        run: async <Row>(sql: string, values: readonly Value[]) =>
          rowsOf<Row>(await this.#answer(client, statementOn(reserved, sql, values))),
        change: async (sql, values) => changedBy(await this.#answer(client, statementOn(reserved, sql, values))),
        script: async (sql) => void (await this.#answer(client, reserved.unsafe(sql).simple())),
        command: async (sql) => (await this.#answer(client, statementOn(reserved, sql, []))).command,
      });
    } finally {
      this.#statementMs = this.limits.statementMs;
      // Closes the connection if a transaction is still open.
      await reserved.release().catch(() => {});
    }
  }

  /** Closes the connection. Statements in progress reject. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#client?.close({ timeout: 0 });
  }

  /** Returns the client of the connection, which connects by itself at its first statement. */
  #open(): SQL {
    if (this.#isClosed) throw new StoreUnavailable(`The connection to ${this.address.shown} is closed`);
    if (this.#client) return this.#client;
    const client: SQL = new SQL({
      ...connectionOptions(this.address, `warren ${this.purpose}`, this.limits, this.settings),
      // Also after a time without use. The next statement opens a connection.
      onclose: () => this.#drop(client),
    });
    this.#client = client;
    return client;
  }

  /** Settles as a statement does, or rejects if no answer comes in time. */
  #answer<T>(client: SQL, statement: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#pending.size === 0) this.#watch();
      this.#pending.add(reject);
      const end = () => {
        this.#pending.delete(reject);
        this.#progressAt = performance.now();
      };
      statement.then(
        (result) => {
          end();
          resolve(result);
        },
        (error: unknown) => {
          const known = translated(error, this.address.shown);
          if (known instanceof OutcomeUnknown) this.#drop(client);
          end();
          reject(known);
        },
      );
    });
  }

  /** Sets the client of a lost connection aside. */
  #drop(client: SQL): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    void client.close({ timeout: 0 }).catch(() => {});
  }

  #watch(): void {
    this.#progressAt = performance.now();
    // One timer for all: those that are sent later are answered later. Only one that was set for statements that may take longer is no use.
    if (this.#timer === undefined || this.#dueAt > this.#progressAt + this.#patienceMs) this.#lookIn(this.#patienceMs);
  }

  get #patienceMs(): number {
    return this.#statementMs + this.limits.connectMs + graceMs;
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer);
    const dueAt = performance.now() + ms;
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#pending.size === 0) return;
      const now = performance.now();
      const leftMs = this.#progressAt + this.#patienceMs - now;
      if (leftMs > 0) this.#lookIn(leftMs);
      else if (now - dueAt > lateMs) this.#lookIn(lateMs);
      else this.#giveUp();
    }, ms);
    // The connection keeps the process running while a statement is under way, and nothing should after it.
    this.#timer.unref();
  }

  /** Gives up a connection that answers nothing, as on a network that was cut. Nothing else would settle its statements. */
  #giveUp(): void {
    const seconds = Math.round(this.#patienceMs / 1000);
    const error = new OutcomeUnknown(`The database ${this.address.shown} did not answer for ${seconds} s`);
    const rejects = [...this.#pending];
    if (this.#client) this.#drop(this.#client);
    this.#pending.clear();
    for (const reject of rejects) reject(error);
  }
}

function statementOn(client: SQL, sql: string, values: readonly Value[]): Promise<Result> {
  // Without parameters, the driver prepares only what comes as a template.
  if (values.length === 0) return client<Result>(templateOf(sql)).then(withNumbers);
  return client
    .unsafe<Result>(
      sql,
      values.map((value) => (isArray(value) ? (arrayText(value) ?? client.array([...value])) : value)),
    )
    .then(withNumbers);
}

/** Returns the rows as a plain array, without what the driver says about them. */
function rowsOf<Row>(result: Result): Row[] {
  return Array.from(result) as Row[];
}

/** Returns the number of rows that a statement changed. For others, the server counts what they read. */
function changedBy({ command, count }: Result): number {
  return command === null || /^(INSERT|UPDATE|DELETE|MERGE)$/.test(command) ? Number(count ?? 0) : 0;
}

const isArray = (value: Value): value is readonly never[] => Array.isArray(value);

/** Matches JSON in which anything but a quotation mark or a backslash is escaped. */
const otherEscapes = /\\[^"\\]/;

/**
 * Returns an array as the server reads it. Undefined if it has other values than numbers, booleans and texts, or characters that JSON
 * escapes in another way: the driver can write these, but takes several times as long.
 */
function arrayText(values: readonly Value[]): string | undefined {
  if (values.some((value) => typeof value === "bigint" || (typeof value === "object" && value !== null))) return undefined;
  const json = JSON.stringify(values);
  return otherEscapes.test(json) ? undefined : `{${json.slice(1, -1)}}`;
}

const templates = new Map<string, TemplateStringsArray>();

function templateOf(sql: string): TemplateStringsArray {
  let template = templates.get(sql);
  if (!template) {
    const strings = [sql];
    template = Object.defineProperty(strings, "raw", { value: strings }) as unknown as TemplateStringsArray;
    templates.set(sql, template);
  }
  return template;
}
