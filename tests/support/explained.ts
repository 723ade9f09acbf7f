import type { Database, Queries, Value } from "../../src/store/postgres/connection/queries";

/** A node of a plan, as EXPLAIN gives it. */
export interface PlanNode {
  readonly "Node Type": string;
  readonly "Index Cond"?: string;
  readonly "Index Name"?: string;
  readonly "Actual Rows"?: number;
  readonly "Actual Loops"?: number;
  readonly "Shared Hit Blocks"?: number;
  readonly "Shared Read Blocks"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** A statement with its values. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly Value[];
}

/** Returns queries that run on a database and note each statement. */
export function noting(database: Queries, noted: Statement[]): Queries {
  return {
    query: (sql, ...values) => {
      noted.push({ sql, values });
      return database.query(sql, ...values);
    },
  };
}

/** Runs a statement again as readers do, and resolves with what it did. */
export async function explain({ query }: Pick<Database, "query">, { sql, values }: Statement): Promise<PlanNode> {
  const rows = await query<{ "QUERY PLAN": string | { Plan: PlanNode }[] }>(
    `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${sql}`,
    ...values,
  );
  const plan = rows[0]?.["QUERY PLAN"];
  const [explained] = typeof plan === "string" ? (JSON.parse(plan) as { Plan: PlanNode }[]) : (plan ?? []);
  return (explained as { Plan: PlanNode }).Plan;
}

/** Returns a node with all nodes below it. */
export function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

/** Number of pages of tables and indexes that a plan has looked at. */
export function blocksOf(plan: PlanNode): number {
  return (plan["Shared Hit Blocks"] ?? 0) + (plan["Shared Read Blocks"] ?? 0);
}
