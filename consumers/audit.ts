import { type Difference, differences, messageOf, readTables, runCommand, UsageError } from "warren/command";
import { type ConsumerOptions, everyFlagHelp, readFlags, runConsumer, type Transaction } from "warren/consumer";
import { localTime, printable } from "warren/terminal";

const help = `Keeps the history of every record of every resource: what changed, when, and the old and new values.

  bun run consumers/audit.ts                   records every event, until Ctrl+C
  bun run consumers/audit.ts --show 42         prints the history of item 42, whether or not the audit runs
  bun run consumers/audit.ts --show order:42   prints the history of a record of another resource

Options:
  --show ID          id of an item, or RESOURCE:ID
  --json             --show: print each change as a line of JSON
${everyFlagHelp}

The history is append-only and has each event once: in data/consumers/audit.db or, with PostgreSQL, in the schema of the queue. Only the history of a record that is erased is
deleted. Ctrl+C finishes the events in progress and stops.`;

const tables = [
  `CREATE TABLE IF NOT EXISTS history (
     event TEXT PRIMARY KEY, resource TEXT NOT NULL, record BIGINT NOT NULL, version BIGINT NOT NULL,
     change TEXT NOT NULL, time TEXT NOT NULL, state TEXT NOT NULL
   )`,
  "CREATE INDEX IF NOT EXISTS history_of_record ON history (resource, record, version)",
  "CREATE TABLE IF NOT EXISTS actors (event TEXT PRIMARY KEY, actor TEXT NOT NULL)",
  // Records whose history may be deleted. Each is here only within the transaction that erases it.
  "CREATE TABLE IF NOT EXISTS erasing (resource TEXT NOT NULL, record BIGINT NOT NULL, PRIMARY KEY (resource, record))",
];

/** Makes the database refuse changes and deletions of the history. Triggers are the one thing that each engine has its own SQL for. */
const appendOnly = {
  sqlite: [
    // An earlier version created it, without exceptions.
    "DROP TRIGGER IF EXISTS history_not_removed",
    `CREATE TRIGGER IF NOT EXISTS history_not_changed BEFORE UPDATE ON history
     BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END`,
    `CREATE TRIGGER IF NOT EXISTS history_only_erased BEFORE DELETE ON history
     WHEN NOT EXISTS (SELECT 1 FROM erasing WHERE resource = OLD.resource AND record = OLD.record)
     BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END`,
    // INSERT OR REPLACE would replace a row without the other triggers.
    `CREATE TRIGGER IF NOT EXISTS history_not_doubled BEFORE INSERT ON history
     WHEN EXISTS (SELECT 1 FROM history WHERE event = NEW.event) BEGIN SELECT RAISE(IGNORE); END`,
  ],
  postgres: [
    `CREATE OR REPLACE FUNCTION history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF TG_OP = 'DELETE' THEN
         IF EXISTS (SELECT 1 FROM erasing WHERE resource = OLD.resource AND record = OLD.record) THEN RETURN OLD; END IF;
       END IF;
       RAISE EXCEPTION 'the history is append-only';
     END $$`,
    `DO $$ BEGIN
       IF EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = 'history'::regclass AND tgname = 'history_rows') THEN RETURN; END IF;
       CREATE TRIGGER history_rows BEFORE UPDATE OR DELETE ON history FOR EACH ROW EXECUTE FUNCTION history_is_append_only();
       CREATE TRIGGER history_whole BEFORE TRUNCATE ON history EXECUTE FUNCTION history_is_append_only();
     END $$`,
  ],
};

/** Deletes the history of an erased record. */
async function forget(tx: Transaction, resource: string, record: number): Promise<void> {
  await tx.run("INSERT INTO erasing VALUES (?, ?)", resource, record);
  await tx.run("DELETE FROM actors WHERE event IN (SELECT event FROM history WHERE resource = ? AND record = ?)", resource, record);
  await tx.run("DELETE FROM history WHERE resource = ? AND record = ?", resource, record);
  await tx.run("DELETE FROM erasing WHERE resource = ? AND record = ?", resource, record);
}

/** The consumer. Writes through `tx` commit in the same transaction that marks the event as done. */
export const audit = {
  queue: "audit",
  events: ["#", "*.erased"],
  description: "Keeps the history of every record: what changed, when, and the old and new values.",
  exactlyOnce: true,
  async setup(tx) {
    for (const sql of [...tables, ...appendOnly[tx.engine]]) await tx.run(sql);
  },
  async handle(event, { tx }) {
    const [resource = "", change = ""] = event.type.split(".");
    const record = (event as unknown as Record<string, { id: number; version: number }>)[resource];
    if (!record) throw new TypeError(`Missing "${resource}" in ${event.type} ${event.id}`);
    if (change === "erased") return forget(tx, resource, record.id);
    // The inbox keeps an event for a week only, and a forced replay ignores the inbox.
    const row = [event.id, resource, record.id, record.version, change, event.timestamp, JSON.stringify(record)];
    await tx.run("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (event) DO NOTHING", ...row);
    if (event.actor !== undefined) await tx.run("INSERT INTO actors VALUES (?, ?) ON CONFLICT (event) DO NOTHING", event.id, event.actor);
  },
} satisfies ConsumerOptions<"#" | "*.erased">;

/** A row of the history. For a deletion, `state` and `version` are those of the deleted record. */
interface Row {
  readonly event: string;
  readonly version: number;
  readonly change: string;
  readonly time: string;
  /** Who made the change, or null if unknown. */
  readonly actor: string | null;
  readonly state: string;
}

interface Change extends Omit<Row, "state"> {
  /** The first and last of the versions missing from the history just before this one, or null if none is missing. */
  readonly missing: readonly [number, number] | null;
  readonly changed: readonly Difference[];
}

async function rowsOf(resource: string, record: number): Promise<Row[]> {
  const tables = await readTables("audit");
  try {
    if (!tables || !(await tables.has("history"))) return [];
    // A history from before actors were recorded has no table of them.
    const actor = (await tables.has("actors")) ? "(SELECT actor FROM actors WHERE actors.event = history.event)" : "NULL";
    const order = "ORDER BY version, change = 'deleted', event";
    return await tables.all<Row>(`SELECT *, ${actor} AS actor FROM history WHERE resource = ? AND record = ? ${order}`, resource, record);
  } finally {
    await tables?.close();
  }
}

/** Returns the changes of a record, oldest first, or undefined if the history has no event of it. */
async function historyOf(resource: string, record: number): Promise<Change[] | undefined> {
  const rows = await rowsOf(resource, record);
  let known = 0;
  let before: object | undefined;
  const changes = rows.map(({ event, version, change, time, actor, state }): Change => {
    const deleted = change === "deleted";
    const last = JSON.parse(state) as object;
    const due = deleted ? version : version - 1;
    const missing = known < due ? ([known + 1, due] as const) : null;
    const changed = deleted ? differences(last, undefined) : differences(before, last);
    known = version;
    before = deleted ? undefined : last;
    return { event, time, actor, change, version, missing, changed };
  });
  return changes.length === 0 ? undefined : changes;
}

async function readHistory(resource: string, record: number): Promise<Change[] | undefined> {
  try {
    return await historyOf(resource, record);
  } catch (error) {
    throw new Error(`Cannot read the history. ${messageOf(error)}`);
  }
}

/** Returns a line for the change, followed by a line for each removed and added value. */
function describe({ time, actor, change, version, missing, changed }: Change, colour: boolean): string[] {
  const side = (sign: string, paint: number, field: string, value: unknown) => {
    const text = printable(`  ${sign} ${field}: ${JSON.stringify(value)}`);
    return colour ? `\x1b[${paint}m${text}\x1b[0m` : text;
  };
  const [first, last] = missing ?? [];
  return [
    ...(missing ? [first === last ? `(version ${first} is missing)` : `(versions ${first} to ${last} are missing)`] : []),
    `${localTime(new Date(time))} ${change}, version ${version}${actor === null ? "" : `, by ${printable(actor)}`}`,
    ...changed.flatMap(({ field, ...value }) => [
      ...("from" in value ? [side("-", 31, field, value.from)] : []),
      ...("to" in value ? [side("+", 32, field, value.to)] : []),
    ]),
    ...(changed.length === 0 ? ["  no differences"] : []),
  ];
}

async function show(id: string | undefined, asJson: boolean): Promise<number> {
  if (id === undefined) throw new UsageError("--json requires --show.");
  const [, resource = "item", record] = /^(?:([a-z][a-z0-9_]*):)?([1-9]\d{0,14})$/.exec(id) ?? [];
  if (!record) throw new UsageError(`"${id}" is not a record. Use the id of an item, such as 42, or RESOURCE:ID, such as order:42.`);
  const changes = await readHistory(resource, Number(record));
  if (!changes) throw new Error(`There is no history of ${resource} ${record}.`);
  const colour = process.stdout.isTTY && Bun.enableANSIColors;
  const lines = changes.flatMap((change) => (asJson ? printable(JSON.stringify(change)) : describe(change, colour)));
  console.log((asJson ? lines : [`${resource} ${record}`, ...lines]).join("\n"));
  return 0;
}

if (import.meta.main) {
  const flags = readFlags(help, { show: { type: "string" }, json: { type: "boolean", default: false } });
  if (flags.show === undefined && !flags.json)
    await runConsumer({ ...audit, onReady: () => console.log("The audit is running. Press Ctrl+C to exit.") }, flags);
  await runCommand(help, () => show(flags.show, flags.json));
}
