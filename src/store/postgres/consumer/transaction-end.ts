import type { TransactionEnd } from "../../consumer/store";
import type { Ending } from "../../transaction/engine";
import { PostgresEnding } from "../commit/endings";
import type { TransactionQueries } from "../connection/queries";

type Work<T> = (queries: TransactionQueries) => Promise<T>;

/** The end of one transaction. */
export class PostgresEnd implements TransactionEnd {
  #ending: PostgresEnding | undefined;

  /** @param place identifies the database of the transaction. */
  constructor(readonly place: string) {}

  with(ending: Ending): void {
    if (!(ending instanceof PostgresEnding) || ending.place !== this.place) throw new Error("The records are in another database.");
    this.#ending = ending;
  }

  /** Runs work in a transaction that has this end. */
  async of<T>(within: (work: Work<T>) => Promise<T>, work: Work<T>): Promise<T> {
    let value: T;
    try {
      value = await within(async (queries) => {
        const result = await work(queries);
        await this.#ending?.send(queries);
        return result;
      });
    } catch (error) {
      throw this.#ending ? await this.#ending.explained(error) : error;
    }
    this.#ending?.confirm();
    return value;
  }
}
