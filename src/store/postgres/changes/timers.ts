import type { StoredTimers } from "../../changes/timer-changes";
import type { Timer, TimerQuery, Timers } from "../../timers";
import type { Queries } from "../connection/queries";
import type { Workspace } from "./workspace";

/** Returns the timers as a group of changes reads and writes them. One that a change asks for is assumed to be there. */
export function storedTimers(workspace: Workspace): StoredTimers {
  const { overlay } = workspace;
  return {
    has(number) {
      const { timers, isExact } = workspace.facts;
      const name = String(number);
      if (!isExact) timers.suppose(name, true);
      return timers.read(name, number);
    },
    set: (timer) => overlay.write({ kind: "setTimer", timer }),
    cancel: (key) => overlay.write({ kind: "cancelTimer", key }),
    drop: (resource, subject) => overlay.write({ kind: "dropTimers", resource, subject }),
    take: (number) => overlay.write({ kind: "takeTimer", number }),
    hinder: (number, problem) => overlay.write({ kind: "hinderTimer", number, problem }),
  };
}

const columns = `number, due_at AS "dueAt", key, resource, subject, event, version, data, cause, depth, actor, traceparent, problem`;

/** Returns the functions that read committed timers. */
export function timerReads({ query }: Queries): Pick<Timers, "due" | "next" | "list" | "get" | "count"> {
  return {
    due: (now, limit) =>
      query<Timer>(
        `SELECT ${columns} FROM warren_timers WHERE due_at <= $1 AND problem IS NULL ORDER BY due_at, number LIMIT $2`,
        now,
        limit,
      ),
    async next() {
      const [first] = await query<{ dueAt: number }>(
        `SELECT due_at AS "dueAt" FROM warren_timers WHERE problem IS NULL ORDER BY due_at, number LIMIT 1`,
      );
      return first?.dueAt;
    },
    list: ({ after, resource, subject, key, limit }: TimerQuery) =>
      query<Timer>(
        `SELECT ${columns} FROM warren_timers WHERE (due_at, number) > ($1, $2) AND ($3::text IS NULL OR resource = $3)
           AND ($4::int8 IS NULL OR subject = $4) AND ($5::text IS NULL OR key = $5) ORDER BY due_at, number LIMIT $6`,
        after?.dueAt ?? Number.MIN_SAFE_INTEGER,
        after?.number ?? 0,
        resource ?? null,
        subject ?? null,
        key ?? null,
        limit,
      ),
    async get(number) {
      const [timer] = await query<Timer>(`SELECT ${columns} FROM warren_timers WHERE number = $1`, number);
      return timer;
    },
    async count(most) {
      const [counted] = await query<{ waiting: number; hindered: number }>(
        `SELECT (SELECT count(*)::int FROM (SELECT FROM warren_timers LIMIT $1) s) AS waiting,
           (SELECT count(*)::int FROM warren_timers WHERE problem IS NOT NULL) AS hindered`,
        most,
      );
      return counted ?? { waiting: 0, hindered: 0 };
    },
  };
}
