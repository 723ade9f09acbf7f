import { OutcomeUnknown, PostgresError } from "./errors";
import type { Line, Session } from "./line";
import type { TransactionOptions, TransactionQueries } from "./queries";

/** Lines for transactions, each for one at a time. Further transactions wait in the order in which they came. */
export class Transactions {
  readonly #free: Line[];
  readonly #waiting: ((line: Line) => void)[] = [];

  constructor(lines: readonly Line[]) {
    this.#free = [...lines];
  }

  async run<T>(work: (queries: TransactionQueries) => Promise<T>, { statementMs }: TransactionOptions = {}): Promise<T> {
    // The one used last has the connection that is open.
    const line = this.#free.pop() ?? (await new Promise<Line>((resolve) => this.#waiting.push(resolve)));
    try {
      return await line.reserve((session) => inTransaction(session, work, statementMs), statementMs);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(line);
      else this.#free.push(line);
    }
  }
}

async function inTransaction<T>(
  session: Session,
  work: (queries: TransactionQueries) => Promise<T>,
  statementMs: number | undefined,
): Promise<T> {
  // Nothing is sent before the answer: without a transaction, it would be committed at once.
  await session.command("BEGIN");
  let isOpen = true;
  const open = () => {
    if (!isOpen) throw new Error("The transaction has ended: await each statement in it.");
    return session;
  };
  try {
    if (statementMs !== undefined) await session.run("SELECT set_config('statement_timeout', $1, true)", [String(statementMs)]);
    let sendLast = async (): Promise<unknown> => undefined;
    const result = await work({
      query: async (sql, ...values) => open().run(sql, values),
      change: async (sql, ...values) => open().change(sql, values),
      script: async (sql) => open().script(sql),
      last(sql, ...values) {
        sendLast = () => session.run(sql, values);
      },
    });
    isOpen = false;
    const [last, end] = await Promise.allSettled([sendLast(), session.command("COMMIT")]);
    if (last.status === "rejected") throw last.reason;
    if (end.status === "rejected") throw end.reason;
    // A transaction in which a statement has failed cannot be committed, whether or not `work` looked at the failure.
    if (end.value !== "COMMIT") throw new PostgresError("25P02: a statement of the transaction failed", "25P02");
    return result;
  } catch (error) {
    isOpen = false;
    // If that fails, closing the connection rolls back.
    if (!(error instanceof OutcomeUnknown)) await session.command("ROLLBACK").catch(() => {});
    throw error;
  }
}
