import type { Log } from "../observe/logging";
import type { InvalidRecords } from "../store/invalid-records";
import type { Store } from "../store/store";

/**
 * Finds records that the current schema rejects, before anything is served. Each event of one would be a dead letter.
 *
 * @param onInvalid `warn` is for development, while the schema changes.
 * @throws {Error} if there are any and `onInvalid` is `refuse`. The message names them and says how to fix them.
 */
export async function checkStoredRecords(store: Store, onInvalid: "refuse" | "warn", log: Log): Promise<void> {
  const onProgress = (resource: string, checked: number) =>
    log.info({ resource, checked }, `Checking the records of "${resource}", whose schema has changed: ${checked} so far`);
  const invalid = await store.checkRecords(onProgress);
  if (invalid.length === 0) return;
  const what = describe(invalid);
  if (onInvalid === "refuse")
    throw new Error(`${what}\n${advice}\nTo fix single records over HTTP, use \`bun run dev\`, which starts and only warns about this.`);
  log.warn(
    { resources: invalid.map(({ resource }) => resource) },
    `${what}\n${advice}\n\`bun run start\` refuses to start until this is fixed.`,
  );
}

const advice =
  "If the schema has changed, add the previous schema to `past` in src/domain/, with an `up` that makes these records valid " +
  "(docs/reference/events.md, Versions). Or make the schema accept them again.";

function describe(invalid: readonly InvalidRecords[]): string {
  const lines = invalid.flatMap(({ resource, found, more }) => [
    ...found.map(({ id, mistakes }) => `  ${resource} ${id}: ${mistakes}`),
    ...(more ? [`  and possibly more records of "${resource}"`] : []),
  ]);
  return `Stored records do not match their schema, so every event of them would become a dead letter:\n${lines.join("\n")}`;
}
