import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";
import { Turns } from "../../../timing/turns";
import type { DeadLetterTable } from "../../consumer/dead-letter-table";
import type { Inbox } from "../../consumer/inbox";
import type { Lane, LaneProgress, Progress } from "../../consumer/lanes";
import type { ReplayTable } from "../../consumer/replay-table";
import type { ConsumerData } from "../../consumer/store";
import type { SqlValue, Transaction } from "../../consumer/transaction";
import type { WaitingTable } from "../../consumer/waiting-table";
import { deadLetterTable } from "./dead-letter-table";
import { inTurn } from "./in-turn";
import { inboxTable } from "./inbox";
import { progressTables } from "./progress-tables";
import { replaysIn } from "./replays";
import { waitingTable } from "./waiting-table";

interface Bounds {
  readonly begin: Statement;
  readonly end: Statement;
  /** Statements that undo it. */
  readonly undo: readonly Statement[];
}

/** The tables of an open file, and the statements of its transactions. */
export type ConsumerFile = ReturnType<typeof consumerFile>;

export function consumerFile(db: Database) {
  const release = db.prepare("RELEASE part");
  const whole: Bounds = { begin: db.prepare("BEGIN IMMEDIATE"), end: db.prepare("COMMIT"), undo: [db.prepare("ROLLBACK")] };
  const part: Bounds = { begin: db.prepare("SAVEPOINT part"), end: release, undo: [db.prepare("ROLLBACK TO part"), release] };
  return {
    db,
    whole,
    part,
    progress: progressTables(db),
    waiting: waitingTable(db),
    dead: deadLetterTable(db),
    replays: replaysIn(db),
    inbox: inboxTable(db),
  };
}

/**
 * The data of a consumer as one transaction sees it, or what is outside of all. SQLite runs each statement at once. The turns keep
 * everything else out of a transaction between its statements, since all of a file use one connection.
 */
export class SqliteConsumerData implements ConsumerData {
  protected readonly turns = new Turns();
  #waiting: WaitingTable | undefined;
  #dead: DeadLetterTable | undefined;
  #replays: ReplayTable | undefined;
  #inbox: Inbox | undefined;
  #transaction: Transaction | undefined;

  constructor(
    readonly file: ConsumerFile,
    readonly bounds = file.whole,
  ) {}

  // Most transactions need few of the tables.
  get waiting(): WaitingTable {
    this.#waiting ??= inTurn(this.turns, this.file.waiting);
    return this.#waiting;
  }
  get dead(): DeadLetterTable {
    this.#dead ??= inTurn(this.turns, this.file.dead);
    return this.#dead;
  }
  get replays(): ReplayTable {
    this.#replays ??= inTurn(this.turns, this.file.replays);
    return this.#replays;
  }
  get inbox(): Inbox {
    this.#inbox ??= inTurn<Inbox>(this.turns, this.file.inbox);
    return this.#inbox;
  }
  get transaction(): Transaction {
    this.#transaction ??= transactionOf(this.file.db, this.turns);
    return this.#transaction;
  }

  progress(logId: string): Promise<Progress | undefined> {
    return this.turns.run(() => this.file.progress.progress(logId));
  }
  begin(logId: string, position: number, types: readonly string[]): Promise<void> {
    return this.turns.run(() => this.file.progress.begin(logId, position, types));
  }
  takeLanes(logId: string, lanes: readonly Lane[]): Promise<Progress[]> {
    return this.turns.run(() => this.file.progress.takeLanes(logId, lanes));
  }
  saveProgress(logId: string, lanes: readonly LaneProgress[]): Promise<Lane[]> {
    return this.turns.run(() => this.file.progress.saveProgress(logId, lanes));
  }
  followedTypes(logId: string): Promise<readonly string[] | undefined> {
    return this.turns.run(() => this.file.progress.followedTypes(logId));
  }

  async together<T>(change: (own: ConsumerData) => Promise<T>): Promise<T> {
    const { file, bounds, turns } = this;
    const turn = turns.take();
    if (turn) await turn;
    let hasBegun = false;
    try {
      // An error, such as of a full disk, can roll back all of a transaction. A savepoint would then begin another one.
      if (bounds === file.part && !file.db.inTransaction) throw new Error("The transaction was rolled back.");
      bounds.begin.run();
      hasBegun = true;
      const value = await change(new SqliteConsumerData(file, file.part));
      bounds.end.run();
      return value;
    } catch (error) {
      if (hasBegun && file.db.inTransaction) for (const undo of bounds.undo) undo.run();
      throw error;
    } finally {
      turns.end();
    }
  }
}

function transactionOf(db: Database, turns: Turns): Transaction {
  return {
    engine: "sqlite",
    run: (sql, ...values) => turns.run(() => db.query(sql).run(...bindings(values)).changes),
    get: <Row>(sql: string, ...values: SqlValue[]) => turns.run(() => (db.query(sql).get(...bindings(values)) as Row | null) ?? undefined),
    all: <Row>(sql: string, ...values: SqlValue[]) => turns.run(() => db.query(sql).all(...bindings(values)) as Row[]),
  };
}

/** Bun's type of a parameter leaves out a view of shared memory, which it does not accept. */
const bindings = (values: readonly SqlValue[]) => values as SQLQueryBindings[];
