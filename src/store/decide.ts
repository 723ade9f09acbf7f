import type { Actor } from "../schema/actor";
import { completeFields } from "../schema/complete-fields";
import { BrokenHook, callHook } from "../schema/hook";
import { type Mistake, maxMistakes } from "../schema/mistakes";
import type { Recorded } from "../schema/record";
import { Conflict, InvalidRecord } from "../schema/refused-change";
import type { Resource, Rule, RuleContext } from "../schema/resource";
import { mistakesInWritten } from "../schema/written";
import { withOwner } from "./access";
import { hasSameFields, notValid, serialize } from "./serialize";
import type { Stored } from "./stored";

/** The facts about a change before it is decided. */
export interface Circumstances {
  readonly id: number;
  /** The record before the change. Undefined if the change creates it. */
  readonly previous: Stored | undefined;
  /** True if the record was deleted in its previous state and is created again. Default: false. */
  readonly isRestored?: boolean;
  /** Time of the change: RFC 3339 in UTC. */
  readonly now: string;
  readonly actor: Actor | undefined;
}

/** The outcome of {@link decideChange}, to be committed. */
export interface Decision {
  readonly stored: Stored;
  /** False if the record stays as it is. */
  readonly isChange: boolean;
  /** The fields of the record after the change. */
  readonly after: object;
}

/**
 * Decides on the creation or change of a record. Every write of every store passes this function, inside of the commit. It is
 * pure and synchronous: it reads and writes nothing.
 *
 * Fills in the owner, the tenant, and the managed and derived fields, checks the schema, and then the resource's rule if the record changes.
 *
 * @param fields the proposed fields.
 * @throws {InvalidChange} if the fields do not match the schema, or JSON cannot represent them exactly.
 * @throws {Conflict} if the resource is retired.
 * @throws {InvalidRecord} if the record breaks the rule.
 * @throws {Forbidden} if the record would belong to no tenant.
 * @throws {BrokenHook} if the rule or a derived field throws, or returns what it must not.
 * @throws {TypeError} if the fields are not an object.
 */
export function decideChange(
  resource: Resource,
  fields: object,
  { id, previous, isRestored = false, now, actor }: Circumstances,
): Decision {
  refuseOther(resource, fields);
  if (resource.isRetired) throw new Conflict(`The resource ${resource.name} is retired: its records cannot be created or changed.`);
  const before = previous && (JSON.parse(previous.json) as Recorded<object>);
  const complete = completed(resource, withOwner(resource, fields, before, actor), before);
  const stored = serialize(resource, id, complete, (previous?.version ?? 0) + 1, before?.createdAt ?? now, now);
  if (previous && !isRestored && hasSameFields(previous, stored)) return { stored: previous, isChange: false, after: complete };
  if (resource.check) checkRule(resource.name, resource.check, JSON.parse(stored.json) as Recorded<object>, { previous: before, actor });
  return { stored, isChange: true, after: complete };
}

/** Throws if a change returned a promise or anything else that is not an object. JavaScript callers are not type-checked. */
function refuseOther({ name }: Resource, fields: unknown): void {
  // Prevent an unhandled rejection.
  if (fields instanceof Promise) fields.catch(() => {});
  else if (typeof fields === "object" && fields !== null) return;
  throw new TypeError(`The fields of the ${name} must be an object; a change must return them and must not be async.`);
}

/**
 * Returns the fields with the managed and derived ones. If a derived field cannot be computed from fields that do not match the schema,
 * the mistake is theirs.
 */
function completed(resource: Resource, fields: object, before: object | undefined): ReturnType<typeof completeFields> {
  try {
    return completeFields(resource, fields, before);
  } catch (error) {
    const given = completeFields({ ...resource, derived: {} }, fields, before);
    const { derived } = resource;
    const mistakes = mistakesInWritten(resource.fields, given).filter(
      ({ pointer }) => !Object.hasOwn(derived, pointer.split("/")[1] ?? ""),
    );
    throw mistakes.length > 0 ? notValid(resource, mistakes) : error;
  }
}

function checkRule(name: string, check: Rule, record: Recorded<object>, context: RuleContext): void {
  const what = `The check of "${name}"`;
  const returned: unknown = callHook(what, () => check(record, context));
  if (!Array.isArray(returned)) throw new BrokenHook(`${what} has to return an array of mistakes, which is empty if there are none.`);
  const mistakes = returned.slice(0, maxMistakes).map((mistake: unknown) => {
    if (isMistake(mistake)) return { pointer: mistake.pointer, detail: mistake.detail };
    throw new BrokenHook(
      `${what} returned a mistake that is not one: make it with mistake("/dueAt", "Must be after createdAt."); the first is a JSON pointer.`,
    );
  });
  if (mistakes.length > 0) throw new InvalidRecord(`The ${name} is not valid.`, mistakes);
}

/** A JSON pointer (RFC 6901). */
const pointer = /^(\/([^~/]|~[01])*)*$/;

function isMistake(mistake: unknown): mistake is Mistake {
  const { pointer: place, detail } = Object(mistake) as Partial<Record<keyof Mistake, unknown>>;
  return typeof place === "string" && pointer.test(place) && typeof detail === "string" && detail !== "";
}
