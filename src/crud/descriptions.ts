// The operations of a resource in the OpenAPI document.
import type { TSchema } from "@sinclair/typebox";
import { documentedQuery, type Parameters } from "../http/query";
import type { Resource } from "../schema/resource";
import { changeParameters, etag, idempotencyKey, idParameter, link, location, readParameters } from "./headers";

type Named = Pick<Resource, "name" | "plural">;

/** Media type of a JSON merge patch (RFC 7396). */
export const patchMediaType = "application/merge-patch+json";

const changed = { 200: { description: "OK", headers: etag } };

/** Returns the part of a description which says that an operation needs no token, if the resource is for everybody to read. */
export function openTo({ access }: Pick<Resource, "access">): { security?: [] } {
  return access.read === "anyone" ? { security: [] } : {};
}

export const describeList = ({ plural }: Named) => ({
  tags: [plural],
  summary: `List ${plural}`,
  description:
    "Returns one page. `next` and the header `Link` (RFC 8288) lead to the next page. A page with a filter may be short " +
    "or empty and still have a `next`, because it reads a limited number of records. Changes and deletions between pages never " +
    "cause other records to be skipped.",
  responses: { 200: { description: "A page of records.", headers: link } },
});

export const describeCreate = ({ name, plural }: Named) => ({
  tags: [plural],
  summary: `Create ${aOrAn(name)}`,
  description: `Publishes ${name}.created.`,
  parameters: [idempotencyKey],
  responses: { 201: { description: "The created record. `Location` is its path.", headers: { ...location, ...etag } } },
});

export const describeRead = ({ name, plural }: Named, params: TSchema, query: Parameters) => ({
  tags: [plural],
  summary: `Read ${aOrAn(name)}`,
  description:
    "Returns the record. Use its `ETag` in conditional requests. With `version`, returns an earlier state, also of a deleted record.",
  parameters: readParameters(params, documentedQuery(query)),
  responses: { ...changed, 304: { description: "The record is still in one of the states that the request names.", headers: etag } },
});

export const describeReplace = ({ name, plural }: Named, params: TSchema) => ({
  tags: [plural],
  summary: `Replace ${aOrAn(name)}`,
  description: `Replaces all fields. An omitted field is reset to its default. Publishes ${name}.updated, unless nothing changes.`,
  parameters: changeParameters(params),
  responses: changed,
});

export const describePatch = ({ name, plural }: Named, params: TSchema) => ({
  tags: [plural],
  summary: `Update ${aOrAn(name)}`,
  description: `Applies a JSON merge patch (RFC 7396). Omitted fields do not change; null removes a value or resets it to its default. Publishes ${name}.updated, unless nothing changes.`,
  parameters: changeParameters(params),
  requestBody: { required: true, content: { [patchMediaType]: {}, "application/json": {} } },
  responses: changed,
});

/** @param referrers the resources that have references to this one. */
export const describeRemove = ({ name, plural }: Named, params: TSchema, referrers: readonly Resource[]) => ({
  tags: [plural],
  summary: `Delete ${aOrAn(name)}`,
  description: [
    `Publishes ${name}.deleted with the last state of the record.`,
    ...referrers.flatMap(({ name: other, references }) =>
      references.filter(({ to }) => to === name).map(({ path, onDelete }) => `${onDeleteTexts[onDelete](other)} (\`${path}\`).`),
    ),
  ].join(" "),
  parameters: changeParameters(params),
});

const onDeleteTexts = {
  restrict: (name: string) => `Refused while ${aOrAn(name)} refers to it`,
  cascade: (name: string) => `Also deletes each ${name} that refers to it`,
  null: (name: string) => `Sets the field to null in each ${name} that refers to it`,
} as const;

export const describeHistory = ({ name, plural }: Named) => ({
  tags: [plural],
  summary: `Get the history of ${aOrAn(name)}`,
  description:
    "Returns the versions of the record from the event log, newest first: when each was made, by whom, and what changed. " +
    "A deleted record keeps its history. Events older than EVENT_RETENTION are removed. `next` leads to the next page, which may be empty.",
});

export const describeRestore = ({ name, plural }: Named, params: TSchema) => ({
  tags: [plural],
  summary: `Restore a deleted ${name}`,
  description: `Creates the record again, in its last state, with the same id and the next version. Publishes ${name}.created. 409 if it exists, or if another record has one of its unique values.`,
  parameters: [...idParameter(params), idempotencyKey],
  responses: { 201: { description: "The restored record. `Location` is its path.", headers: { ...location, ...etag } } },
});

/** The effects of an action. */
interface Acting {
  readonly summary: string | undefined;
  /** The records that it may change: that of the path, others as well, or none. */
  readonly changes: "record" | "records" | "none";
  /** The custom events that it publishes. */
  readonly events: readonly string[];
}

export function describeAction({ name, plural }: Named, params: TSchema, { summary, changes, events }: Acting) {
  const updated = changes === "none" ? [] : [`${name}.updated, unless nothing changes`];
  const others = changes === "records" ? ["the events of the other records that it changes"] : [];
  const published = [...updated, ...events.map((event) => `${name}.${event}`), ...others];
  return {
    tags: [plural],
    summary: summary ?? `Change ${aOrAn(name)}`,
    description: `Publishes ${published.join("; ")}.`,
    parameters: changeParameters(params),
    responses: changed,
  };
}

function aOrAn(name: string): string {
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
}
