import type { DeadLetterTable } from "../../consumer/dead-letter-table";
import type { Inbox } from "../../consumer/inbox";
import type { Lane, LaneProgress, Progress } from "../../consumer/lanes";
import type { ReplayTable } from "../../consumer/replay-table";
import type { ConsumerData } from "../../consumer/store";
import type { SqlValue, Transaction } from "../../consumer/transaction";
import type { WaitingTable } from "../../consumer/waiting-table";
import type { Access } from "./access";
import { deadLetterTable } from "./dead-letter-table";
import { inboxTable } from "./inbox";
import { numbered } from "./placeholders";
import { progressIn } from "./progress-table";
import { replaysIn } from "./replays";
import { waitingTable } from "./waiting-table";

/** The data of a consumer as one transaction sees it, or what is outside of all. */
export abstract class PostgresConsumerData implements ConsumerData {
  #waiting: WaitingTable | undefined;
  #dead: DeadLetterTable | undefined;
  #replays: ReplayTable | undefined;
  #inbox: (Inbox & { bound(): Promise<void> }) | undefined;
  #progress: ReturnType<typeof progressIn> | undefined;

  /** @param transaction statements of handlers, which name tables without the schema. */
  constructor(
    protected readonly access: Access,
    readonly transaction: Transaction,
  ) {}

  // Most transactions need few of the tables.
  get waiting(): WaitingTable {
    this.#waiting ??= waitingTable(this.access);
    return this.#waiting;
  }
  get dead(): DeadLetterTable {
    this.#dead ??= deadLetterTable(this.access);
    return this.#dead;
  }
  get replays(): ReplayTable {
    this.#replays ??= replaysIn(this.access);
    return this.#replays;
  }
  get inbox(): Inbox & { bound(): Promise<void> } {
    this.#inbox ??= inboxTable(this.access);
    return this.#inbox;
  }
  get #lanes(): ReturnType<typeof progressIn> {
    this.#progress ??= progressIn(this.access);
    return this.#progress;
  }

  progress(logId: string): Promise<Progress | undefined> {
    return this.#lanes.progress(logId);
  }
  begin(logId: string, position: number, types: readonly string[]): Promise<void> {
    return this.#lanes.begin(logId, position, types);
  }
  takeLanes(logId: string, lanes: readonly Lane[]): Promise<Progress[]> {
    return this.#lanes.takeLanes(logId, lanes);
  }
  saveProgress(logId: string, lanes: readonly LaneProgress[]): Promise<Lane[]> {
    return this.#lanes.saveProgress(logId, lanes);
  }
  followedTypes(logId: string): Promise<readonly string[] | undefined> {
    return this.#lanes.followedTypes(logId);
  }

  abstract together<T>(change: (own: ConsumerData) => Promise<T>): Promise<T>;
}

/** Returns the statements of handlers, with `?` for parameters. */
export function handlerStatements({ query, change }: Pick<Access, "query" | "change">): Transaction {
  return {
    engine: "postgres",
    run: (sql, ...values) => change(numbered(sql), ...values),
    get: async <Row>(sql: string, ...values: SqlValue[]) => (await query<Row>(numbered(sql), ...values))[0],
    all: <Row>(sql: string, ...values: SqlValue[]) => query<Row>(numbered(sql), ...values),
  };
}
