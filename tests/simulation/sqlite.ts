import { Database, type Statement } from "bun:sqlite";
import { Killed } from "./process";
import type { World } from "./world";

type Kind = "read" | "write" | "commit" | "rollback" | "begin";
type Run = (...values: unknown[]) => unknown;

function kindOf(sql: string): Kind {
  const word = /^\s*(\w+)/.exec(sql)?.[1]?.toUpperCase() ?? "";
  if (["COMMIT", "BEGIN", "ROLLBACK"].includes(word)) return word.toLowerCase() as Kind;
  return ["SELECT", "PRAGMA", "SAVEPOINT", "RELEASE"].includes(word) ? "read" : "write";
}

const prototype = Database.prototype as unknown as Record<"prepare" | "query" | "run" | "exec" | "transaction", Run>;

/**
 * Intercepts the simulated processes' use of SQLite: a commit can fail, and a process can die before or after one. Returns a function that
 * restores the methods.
 */
export function watchSqlite(world: World): () => void {
  const { prepare, query, run, exec, transaction } = prototype;
  const watched = new WeakSet<Statement>();

  function guard(database: Database, sql: string, kind: Kind, execute: () => unknown): unknown {
    const process = world.current;
    if (!process) return execute();
    process.databases.add(database);
    if (!process.isAlive && kind !== "rollback") throw new Killed();
    const commits = kind === "commit" || (kind === "write" && !database.inTransaction);
    if (!commits) return execute();
    if (!process.act(`a commit (${sql.trim().slice(0, 40)})`)) throw new Killed();
    if (process.diskFull) throw Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
    const answer = execute();
    process.act(`the end of a commit (${sql.trim().slice(0, 40)})`);
    return answer;
  }

  function watch(database: Database, sql: string, statement: Statement): Statement {
    if (watched.has(statement)) return statement;
    watched.add(statement);
    world.current?.statements.push(statement);
    const kind = kindOf(sql);
    const methods = statement as unknown as Record<string, Run>;
    for (const name of ["run", "get", "all", "values"]) {
      const real = methods[name] as Run;
      methods[name] = (...values) => guard(database, sql, kind, () => real.apply(statement, values));
    }
    return statement;
  }

  prototype.prepare = function (this: Database, ...values: unknown[]) {
    return watch(this, String(values[0]), prepare.apply(this, values) as Statement);
  };
  prototype.query = function (this: Database, ...values: unknown[]) {
    return watch(this, String(values[0]), query.apply(this, values) as Statement);
  };
  prototype.run = prototype.exec = function (this: Database, ...values: unknown[]) {
    const sql = String(values[0]);
    return guard(this, sql, kindOf(sql), () => run.apply(this, values));
  };
  // Bun's own implementation bypasses the methods above.
  prototype.transaction = function (this: Database, ...[change]: unknown[]) {
    const within = (begin: string) => () => together(this, begin, change as () => unknown);
    return Object.assign(within("BEGIN"), { immediate: within("BEGIN IMMEDIATE"), exclusive: within("BEGIN EXCLUSIVE") });
  };
  return () => void Object.assign(prototype, { prepare, query, run, exec, transaction });
}

function together(database: Database, begin: string, change: () => unknown): unknown {
  const nested = database.inTransaction;
  const [start, end, undo] = nested ? ["SAVEPOINT part", "RELEASE part", "ROLLBACK TO part"] : [begin, "COMMIT", "ROLLBACK"];
  database.run(start);
  try {
    const answer = change();
    database.run(end);
    return answer;
  } catch (error) {
    if (database.inTransaction) database.run(undo);
    if (nested && database.inTransaction) database.run(end);
    throw error;
  }
}
