import { maxIdentity, type TenantScope } from "../schema/access";
import type { Actor } from "../schema/actor";
import { typesWithErasure } from "../schema/erasure";
import type { Resource } from "../schema/resource";
import { Forbidden } from "./errors";
import type { Condition, Listing } from "./listing";
import type { VisibleEvents } from "./log";
import type { Stored } from "./stored";

/** Values that a record must have, by field. */
export type Limits = Readonly<Record<string, string>>;

const unlimited: Limits = {};

/** The scope of actors that see the records of all owners. */
const admin = "admin";

/**
 * Returns the values that a record must have, by field, for an actor to read or change it. Empty for all records.
 *
 * @throws {Forbidden} if the resource has tenants, and the actor none.
 */
export function limitsOf({ name, access: { owner, scope, read } }: Resource, actor: Actor | undefined, to: "read" | "change"): Limits {
  if (!actor || (owner === undefined && !scope)) return unlimited;
  const limits: Record<string, string> = {};
  const tenant = scope && tenantOf(name, scope, actor);
  if (scope && tenant !== undefined) limits[scope.field] = tenant;
  const isOpen = to === "read" && read === "anyone";
  if (owner !== undefined && !isOpen && !actor.scopes.includes(admin)) limits[owner] = actor.subject;
  return limits;
}

/**
 * Returns the tenant of an actor. Returns undefined for an operator, which is a token of the service itself with the scope `admin`:
 * it sees all tenants.
 *
 * @throws {Forbidden} if the actor's token names no tenant. A token of an issuer never sees more than one.
 */
function tenantOf(resource: string, { claim }: TenantScope, { claims, scopes }: Actor): string | undefined {
  if (!claims && scopes.includes(admin)) return undefined;
  const tenant = claims?.[claim];
  if (typeof tenant === "string" && tenant !== "" && tenant.length <= maxIdentity && tenant.isWellFormed()) return tenant;
  if (tenant === undefined) throw new Forbidden(`The token lacks the claim "${claim}", which says whose ${resource} records it may use.`);
  throw new Forbidden(`The claim "${claim}" of the token must be a text of 1 to ${maxIdentity} characters.`);
}

/** Returns an actor with the scope `admin`. It sees no more tenants than before. */
export function asAdmin(actor: Actor | undefined): Actor | undefined {
  if (!actor || actor.scopes.includes(admin)) return actor;
  // A token without claims would be an operator's.
  return { ...actor, scopes: [...actor.scopes, admin], claims: actor.claims ?? {} };
}

function matches({ json }: Pick<Stored, "json">, limits: Limits): boolean {
  const fields = Object.entries(limits);
  if (fields.length === 0) return true;
  const record = JSON.parse(json) as Record<string, unknown>;
  return fields.every(([field, value]) => record[field] === value);
}

/**
 * Returns the record if the actor may read it, or else undefined.
 *
 * @throws {Forbidden} if the actor may read none of the resource.
 */
export function readable(resource: Resource, stored: Stored | undefined, actor: Actor | undefined): Stored | undefined {
  const limits = limitsOf(resource, actor, "read");
  return stored && matches(stored, limits) ? stored : undefined;
}

/** Returns whether a record exists as far as the actor can see. */
export function exists(resource: Resource, stored: Stored | undefined, actor: Actor | undefined): boolean {
  try {
    return readable(resource, stored, actor) !== undefined;
  } catch (error) {
    if (error instanceof Forbidden) return false;
    throw error;
  }
}

/**
 * Returns the record if the actor may change it, or undefined if the actor cannot see it.
 *
 * @throws {Forbidden} if the actor sees the record, or may create one, but must not change it.
 */
export function changeable(resource: Resource, stored: Stored | undefined, actor: Actor | undefined): Stored | undefined {
  requireScope(resource, actor);
  const limits = limitsOf(resource, actor, "change");
  if (!stored || matches(stored, limits)) return stored;
  if (exists(resource, stored, actor)) throw new Forbidden(`Only the owner of the ${resource.name} may change it.`);
  return undefined;
}

/** @throws {Forbidden} if changes need a scope that the actor does not have. */
export function requireScope({ name, access: { write } }: Resource, actor: Actor | undefined): void {
  if (!actor || write === undefined || actor.scopes.includes(write) || actor.scopes.includes(admin)) return;
  throw new Forbidden(`Changing a ${name} requires the scope "${write}".`, write);
}

/** Returns a list with the limits of an actor as further conditions. */
export function limited(resource: Resource, listing: Listing, actor: Actor | undefined): Listing {
  const limits = Object.entries(limitsOf(resource, actor, "read"));
  if (limits.length === 0) return listing;
  const filters: Record<string, Condition> = { ...listing.filters };
  for (const [field, value] of limits) {
    const { exact = [value], ...others } = filters[field] ?? {};
    filters[field] = { ...others, exact: exact.filter((each) => each === value) };
  }
  return { ...listing, filters };
}

/** Returns the values of a unique key with the owner and the tenant of an actor, which may be part of the key. */
export function ownValues<Values extends object>(resource: Resource, values: Values, actor: Actor | undefined): Values {
  return { ...limitsOf(resource, actor, "change"), ...values };
}

/**
 * Returns the fields of a record with those of `owner` and `scope` filled in. A new record belongs to the actor, unless code of the
 * service says otherwise. A change never moves a record to another tenant, unless the service itself makes it.
 *
 * @throws {Forbidden} if an operator creates a record for no tenant.
 */
export function withOwner(resource: Resource, fields: object, before: object | undefined, actor: Actor | undefined): object {
  const { owner, scope } = resource.access;
  if (!actor || (owner === undefined && !scope)) return fields;
  const own: Record<string, unknown> = { ...fields };
  if (owner !== undefined && !before) own[owner] ??= actor.subject;
  if (!scope) return own;
  const { field, claim } = scope;
  const tenant = tenantOf(resource.name, scope, actor);
  if (tenant !== undefined) own[field] = before ? (before as Record<string, unknown>)[field] : tenant;
  else if (!before && (own[field] ?? null) === null)
    throw new Forbidden(`The token has no claim "${claim}", so the ${resource.name} would belong to nobody.`);
  return own;
}

/** Returns the owner and the tenant of a record, for its events. Null if its resource has none. */
export function belongingOf({ access: { owner, scope } }: Resource, json: string): { owner: string | null; scope: string | null } {
  if (owner === undefined && !scope) return { owner: null, scope: null };
  const record = JSON.parse(json) as Record<string, string | null | undefined>;
  return { owner: (owner !== undefined && record[owner]) || null, scope: (scope && record[scope.field]) || null };
}

/** Returns the events that an actor may see, or undefined for all of them. */
export function visibleEvents(resources: readonly Resource[], actor: Actor | undefined): VisibleEvents[] | undefined {
  const groups = new Map<string, VisibleEvents & { types: string[] }>();
  let isLimited = false;
  for (const resource of resources) {
    const { owner, scope } = resource.access;
    let limits: Limits;
    try {
      limits = limitsOf(resource, actor, "read");
    } catch (error) {
      if (!(error instanceof Forbidden)) throw error;
      isLimited = true;
      continue;
    }
    const group = { owner: owner === undefined ? undefined : limits[owner], scope: scope && limits[scope.field] };
    if (Object.keys(limits).length > 0) isLimited = true;
    // The event of an erasure belongs to nobody, so only those see it who see all.
    const types = typesWithErasure(resource);
    const known = groups.get(JSON.stringify(group));
    if (known) known.types.push(...types);
    else groups.set(JSON.stringify(group), { ...group, types });
  }
  return isLimited ? [...groups.values()] : undefined;
}
