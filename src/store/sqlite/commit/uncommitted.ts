import { type Batch, Overlay } from "../../changes/overlay";

/** A parameter of a statement. */
export type Value = string | number | null;

/** Executions of statements, in order. `statement` is an index into {@link Uncommitted.sql}. */
export type Writes = readonly { readonly statement: number; readonly values: readonly Value[] }[];

/** Records one execution of a statement, to be committed with the running change. */
export type Write = (...values: Value[]) => void;

/** Uncommitted changes whose writes are executions of prepared statements. */
export class Uncommitted extends Overlay<Writes[number]> {
  /** The prepared statements. Writes name them by index. */
  readonly sql: string[] = [];
  #hasBegun = false;

  /**
   * Adds a statement. Returns a function that records an execution of it.
   *
   * @throws {Error} after the first change, because the committer has received the list of statements by then.
   */
  prepare(sql: string): Write {
    if (this.#hasBegun) throw new Error(`Prepared too late, while changes are in progress: ${sql}`);
    const statement = this.sql.push(sql) - 1;
    return (...values) => this.write({ statement, values });
  }

  override begin(): Batch<Writes[number]> {
    this.#hasBegun = true;
    return super.begin();
  }
}
