import type { ConsumerData, TransactionEnd } from "../../consumer/store";
import { StoreAway } from "../../errors";
import { isSerializationFailure } from "../connection/errors";
import type { Value, Writer } from "../connection/queries";
import type { Access } from "./access";
import { handlerStatements, PostgresConsumerData } from "./data";

/**
 * The data of a consumer within a transaction. A nested transaction is a savepoint. It is set with its first statement and released
 * without waiting for either, since both are sent in order with the statements between them.
 */
export class TransactionData extends PostgresConsumerData {
  readonly #statements: Statements;

  private constructor(
    statements: Statements,
    readonly end?: TransactionEnd,
  ) {
    super(statements, handlerStatements(statements));
    this.#statements = statements;
  }

  /**
   * @param table returns the full name of a table.
   * @param end default: it cannot end with a commit.
   */
  static within(writer: Writer, table: Access["table"], end?: TransactionEnd): TransactionData {
    return new TransactionData(new Statements(writer, table, () => {}), end);
  }

  async together<T>(change: (own: ConsumerData) => Promise<T>): Promise<T> {
    const outer = this.#statements;
    outer.refuseIfBroken();
    const part = new Statements(outer.writer, outer.table, () => outer.send("SAVEPOINT part"));
    try {
      const value = await change(new TransactionData(part));
      // The database refuses all further statements of a part in which one has failed, even if its error was caught.
      if (part.failure !== undefined) throw part.failure;
      if (part.hasBegun) outer.send("RELEASE SAVEPOINT part");
      return value;
    } catch (error) {
      if (part.hasBegun) await outer.undo();
      // Such a failure is not that of the event: the transaction is made again.
      throw isSerializationFailure(part.failure) || part.failure instanceof StoreAway ? part.failure : error;
    }
  }
}

/** The statements of a transaction, or of a part of it. */
class Statements implements Access {
  /** Error of the first statement that failed. */
  failure: unknown;
  hasBegun = false;
  /** Why the transaction cannot go on. */
  #broken: unknown;

  /** @param begin called before the first statement. */
  constructor(
    readonly writer: Writer,
    readonly table: Access["table"],
    readonly begin: () => void,
  ) {}

  readonly query = <Row>(sql: string, ...values: Value[]): Promise<Row[]> => {
    this.#begin();
    return this.#noted(this.writer.query<Row>(sql, ...values));
  };

  readonly change = (sql: string, ...values: Value[]): Promise<number> => {
    this.#begin();
    return this.#noted(this.writer.change(sql, ...values));
  };

  /** Sends a statement whose failure would make the transaction fail. */
  send(sql: string): void {
    this.#begin();
    this.writer.query(sql).catch(() => {});
  }

  /** Undoes the last part. */
  async undo(): Promise<void> {
    try {
      await this.writer.query("ROLLBACK TO SAVEPOINT part");
      await this.writer.query("RELEASE SAVEPOINT part");
    } catch (error) {
      this.#broken = error;
    }
  }

  refuseIfBroken(): void {
    if (this.#broken !== undefined) throw this.#broken;
  }

  #begin(): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    this.begin();
  }

  async #noted<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      this.failure ??= error;
      throw error;
    }
  }
}
