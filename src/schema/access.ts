import { type TNull, type TProperties, type TString, type TUnion, Type } from "@sinclair/typebox";

/** Who may see and change the records of a resource. */
export interface Access {
  /** The field with the subject of the actor that owns the record. Undefined if records have no owner. */
  readonly owner: string | undefined;
  /** The field with the tenant of the record, and the claim of an actor's token that has the same value. */
  readonly scope: TenantScope | undefined;
  /** `anyone`: reading needs no token, and shows the records of all owners. */
  readonly read: "anyone" | undefined;
  /** The scope that changes need, besides `write`. */
  readonly write: string | undefined;
}

/** Separates the records of tenants. */
export interface TenantScope<Field extends string = string> {
  /** The field with the tenant of the record. */
  readonly field: Field;
  /** The claim of a JWT that names the tenant of its subject, such as `org_id`. */
  readonly claim: string;
}

/** The schemas of the fields that say to whom a record belongs. */
export type AccessFields<Field extends string> = { [Each in Field]: TUnion<[TString, TNull]> };

interface Declared<Owner extends string, Tenant extends string> {
  readonly owner?: Owner | undefined;
  readonly scope?: TenantScope<Tenant> | undefined;
  readonly read?: "anyone" | undefined;
  readonly write?: string | undefined;
}

/** Maximum length of an owner or tenant. */
export const maxIdentity = 255;

/** @throws {TypeError} if the declaration contradicts itself, or has a name that is not usable. */
export function accessOf(resource: string, { owner, scope, read, write }: Declared<string, string>): Access {
  const refuse = (what: string): never => {
    throw new TypeError(`Resource "${resource}": ${what}`);
  };
  for (const [option, field] of [
    ["owner", owner],
    ["scope", scope?.field],
  ] as const) {
    if (field === undefined) continue;
    // The name is used in a JSON path.
    if (!/^[A-Za-z][A-Za-z0-9_]{0,40}$/.test(field))
      refuse(`the field "${field}" of \`${option}\` may contain only letters, digits and _, with a letter first.`);
  }
  if (scope && scope.field === owner) refuse(`the field "${owner}" is declared twice, in \`owner\` and in \`scope\`.`);
  if (scope && (typeof scope.claim !== "string" || scope.claim === ""))
    refuse('`scope` does not say which claim has the tenant; add `claim`, such as `claim: "org_id"`.');
  if (read !== undefined && read !== "anyone") refuse(`\`read\` is "${read}"; use "anyone", or leave it out.`);
  if (read !== undefined && scope) refuse('`read: "anyone"` and `scope` contradict each other: nobody without a token has a tenant.');
  if (write !== undefined && !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(write))
    refuse(`\`write\` is "${write}"; use the name of a scope, such as "admin".`);
  return { owner, scope, read, write };
}

/** Returns the schemas of the fields of `owner` and `scope`. They are null for what the service itself creates. */
export function accessFields({ owner, scope }: Access): TProperties {
  const field = (description: string) => Type.Union([Type.String({ minLength: 1, maxLength: maxIdentity }), Type.Null()], { description });
  return {
    ...(owner !== undefined && { [owner]: field("Who owns the record. Set by the service.") }),
    ...(scope && { [scope.field]: field("The tenant to which the record belongs. Set by the service.") }),
  };
}
