import type { SqlValue, Transaction } from "../store/consumer/transaction";
import { ForgottenAwait } from "../store/errors";
import { Operation } from "../store/transaction/operation";

const shownLength = 60;

/** The transaction of one run of a handler, or of `setup`. Finds calls that were not awaited, and refuses those that come too late. */
export class HandlerTransaction implements Transaction {
  readonly #operations: Operation<unknown>[] = [];
  /** Returns what a call gets that comes too late. Undefined while the handler runs. */
  #late: (() => Promise<never>) | undefined;

  /** @param who names what runs in error messages: "The handler". */
  constructor(
    readonly transaction: Transaction,
    readonly who: string,
  ) {}

  get engine(): Transaction["engine"] {
    return this.transaction.engine;
  }

  run(sql: string, ...values: SqlValue[]): Promise<number> {
    return this.#call("run", sql, () => this.transaction.run(sql, ...values));
  }

  get<Row>(sql: string, ...values: SqlValue[]): Promise<Row | undefined> {
    return this.#call("get", sql, () => this.transaction.get<Row>(sql, ...values));
  }

  all<Row>(sql: string, ...values: SqlValue[]): Promise<Row[]> {
    return this.#call("all", sql, () => this.transaction.all<Row>(sql, ...values));
  }

  /**
   * Ends it before its commit.
   *
   * @throws {ForgottenAwait} if a call was not awaited.
   */
  finish(): void {
    const forgotten = this.#operations.find(({ isForgotten }) => isForgotten);
    if (forgotten) {
      // Whoever does not wait for a call would not handle its error either, which would end the process.
      this.#late = () => new Promise(() => {});
      throw new ForgottenAwait(shortened(forgotten.what), this.who);
    }
    // The error is made when it is needed: it takes longer than a statement.
    this.#late = async () => {
      throw new Error(`The transaction has ended; use tx before ${this.who.toLowerCase()} returns.`);
    };
  }

  /** Refuses all further calls with an error. */
  end(error: unknown): void {
    this.#late ??= () => Promise.reject(error);
  }

  #call<T>(method: string, sql: string, call: () => Promise<T>): Promise<T> {
    if (this.#late) return this.#late();
    const operation = new Operation(`tx.${method}("${sql}")`, call());
    this.#operations.push(operation);
    return operation;
  }
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length <= shownLength ? line : `${line.slice(0, shownLength - 3).toWellFormed()}…")`;
}
