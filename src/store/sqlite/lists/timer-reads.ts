import type { Database } from "bun:sqlite";
import type { Timer, TimerQuery, TimerReads } from "../../timers";
import { reading } from "../connection/reading";

/** Maximum number of timers that are searched in one go for those of a resource, to bound how long that blocks the event loop. */
const maxRows = 10_000;

/** The parts of the timers that have an index of their own. */
type Part = "IS NULL" | "IS NOT NULL";
type Place = Pick<Timer, "dueAt" | "number">;
const beginning: Place = { dueAt: Number.MIN_SAFE_INTEGER, number: 0 };

/** Returns the functions that read committed timers. */
export function timerReads(db: Database): TimerReads {
  const due = db.prepare<Timer, [number, number]>(
    "SELECT * FROM warren_timers WHERE dueAt <= ? AND problem IS NULL ORDER BY dueAt, number LIMIT ?",
  );
  const next = db.prepare<{ dueAt: number }, []>("SELECT dueAt FROM warren_timers WHERE problem IS NULL ORDER BY dueAt, number LIMIT 1");
  const get = db.prepare<Timer, [number]>("SELECT * FROM warren_timers WHERE number = ?");
  const count = db.prepare<{ waiting: number; hindered: number }, [number]>(
    `SELECT (SELECT count(*) FROM (SELECT 1 FROM warren_timers WHERE problem IS NULL LIMIT ?1)) AS waiting,
       (SELECT count(*) FROM (SELECT 1 FROM warren_timers WHERE problem IS NOT NULL LIMIT ?1)) AS hindered`,
  );
  return {
    due: async (now, limit) => reading(() => due.all(now, limit)),
    next: async () => reading(() => next.get()?.dueAt),
    list: timerLists(db),
    get: async (number) => reading(() => get.get(number) ?? undefined),
    count: async (most) => reading(() => count.get(most) ?? { waiting: 0, hindered: 0 }),
  };
}

function timerLists(db: Database): TimerReads["list"] {
  const inOrder = { "IS NULL": walkOf(db, "IS NULL"), "IS NOT NULL": walkOf(db, "IS NOT NULL") };
  const few = {
    key: among(db, "INDEXED BY warren_timers_key WHERE key = $key"),
    subject: among(db, "INDEXED BY warren_timers_record WHERE subject = $subject"),
  };
  return async (query) => {
    if (query.key !== undefined) return reading(() => few.key(query));
    if (query.subject !== undefined) return reading(() => few.subject(query));
    const parts = query.isHindered ? (["IS NOT NULL"] as const) : (["IS NOT NULL", "IS NULL"] as const);
    const found: Timer[] = [];
    for (const part of parts) found.push(...(await inOrder[part](query)));
    return found.sort((a, b) => a.dueAt - b.dueAt || a.number - b.number).slice(0, query.limit);
  };
}

/** Reads the timers of a record, or the one with a key, which are few, and then chooses from them. */
function among(db: Database, few: string): (query: TimerQuery) => Timer[] {
  type Values = Record<string, string | number | boolean | null>;
  const chosen = db.prepare<Timer, [Values]>(
    `SELECT * FROM warren_timers ${few} AND (dueAt, number) > ($dueAt, $number) AND ($resource IS NULL OR resource = $resource)
       AND ($subject IS NULL OR subject = $subject) AND ($key IS NULL OR key = $key) AND (NOT $isHindered OR problem IS NOT NULL)
     ORDER BY dueAt, number LIMIT $limit`,
  );
  return ({ after = beginning, resource = null, subject = null, key = null, isHindered = false, limit }) =>
    chosen.all({ dueAt: after.dueAt, number: after.number, resource, subject, key, isHindered, limit });
}

/** Reads the timers of a part in order. */
function walkOf(db: Database, part: Part): (query: TimerQuery) => Promise<Timer[]> {
  const behind = `FROM warren_timers WHERE problem ${part} AND (dueAt, number) > (?1, ?2) ORDER BY dueAt, number`;
  const all = db.prepare<Timer, [number, number, number]>(`SELECT * ${behind} LIMIT ?3`);
  const chosen = db.prepare<Timer, [number, number, number, string]>(
    `SELECT * FROM warren_timers WHERE number IN
       (SELECT number FROM (SELECT number, resource ${behind} LIMIT ${maxRows}) WHERE resource = ?4 LIMIT ?3) ORDER BY dueAt, number`,
  );
  const end = db.prepare<Place, [number, number]>(`SELECT dueAt, number ${behind} LIMIT 1 OFFSET ${maxRows - 1}`);
  return async ({ after = beginning, resource, limit }) => {
    if (resource === undefined) return reading(() => all.all(after.dueAt, after.number, limit));
    const found: Timer[] = [];
    for (let from: Place | null = after; from !== null && found.length < limit; ) {
      const { dueAt, number }: Place = from;
      found.push(...reading(() => chosen.all(dueAt, number, limit - found.length, resource)));
      from = reading(() => end.get(dueAt, number));
      await new Promise(setImmediate);
    }
    return found;
  };
}
