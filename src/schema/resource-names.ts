import type { TProperties } from "@sinclair/typebox";
import { erased } from "./erasure";
import type { PastVersion } from "./past-version";
import { isFilledIn } from "./record";
import { changes } from "./resource";

interface Names {
  readonly name: string;
  readonly plural: string;
  /** The fields that clients set, the managed and the derived ones. */
  readonly fields: readonly TProperties[];
  readonly events: Readonly<Record<string, TProperties>>;
  readonly past: readonly PastVersion[];
}

/**
 * Checks the names in the declaration of a resource.
 *
 * @throws {TypeError} if a name cannot name an event type, queue or table, a field is declared twice or is one that every record
 *   has, or a past version is of an unknown event.
 */
export function checkNames({ name, plural, fields, events, past }: Names): void {
  const refuse = (what: string): never => {
    throw new TypeError(`Resource "${name}": ${what}`);
  };
  for (const word of [name, plural]) {
    if (isWord(word) && !reserved.has(word)) continue;
    throw new TypeError(
      `Invalid resource name "${word}". Use lower-case letters, digits and _ (at most 41, a letter first), such as "order". ` +
        `Reserved: ${[...reserved].join(", ")}.`,
    );
  }
  const earlier = past.filter(({ event }) => event === undefined).map((version) => version.fields.properties);
  for (const field of [...fields, ...earlier].flatMap(Object.keys)) {
    if (isFilledIn(field)) refuse(`the field name "${field}" is reserved, because the service sets it; use another name.`);
  }
  const seen = new Set<string>();
  for (const field of fields.flatMap(Object.keys)) {
    if (field in Object.prototype) refuse(`the field name "${field}" is one that every JavaScript object has; use another name.`);
    if (seen.has(field)) refuse(`the field "${field}" is declared twice; declare it in \`fields\`, \`managed\` or \`derived\`.`);
    seen.add(field);
  }
  for (const event of Object.keys(events)) {
    if (name === "schedule" && event === "due") refuse('the event "due" is that of the schedules of consumers; use another name.');
    if (isWord(event) && !taken.includes(event)) continue;
    refuse(`invalid event name "${event}"; use lower-case letters, digits and _, such as "shipped". Reserved: ${taken.join(", ")}.`);
  }
  for (const { event } of past) {
    if (event === undefined || event in events) continue;
    refuse(`a past version names the event "${event}", which is not declared in \`events\`.`);
  }
}

/** Events that every resource has. */
const taken: readonly string[] = [...changes, erased];

function isWord(word: string): boolean {
  return /^[a-z][a-z0-9_]{0,40}$/.test(word);
}

/** Names in use as keys of event bodies and of bulk responses, and as tables of the store. */
const reserved = new Set([
  ...["id", "type", "version", "timestamp", "data", "actor"],
  ...["line", "index", "status", "problem"],
  ...["event", "events", "meta", "relay", "subscriptions", "idempotency_keys", "retry_queues", "relay_times"],
]);

/**
 * Checks the names of what a resource has a table or an index for. Databases do not distinguish upper and lower case in them.
 *
 * @param what what is named: "unique key".
 * @throws {TypeError} if two names differ only in case, or one contains a quotation mark.
 */
export function checkStoredNames(resource: string, what: string, plural: string, names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    if (name.includes('"'))
      throw new TypeError(`Resource "${resource}": the name of the field in the ${what} "${name}" contains a quotation mark; rename it.`);
    const twin = seen.get(name.toLowerCase());
    if (twin !== undefined && twin !== name)
      throw new TypeError(`Resource "${resource}": the ${plural} "${twin}" and "${name}" differ only in case; rename a field.`);
    seen.set(name.toLowerCase(), name);
  }
}
