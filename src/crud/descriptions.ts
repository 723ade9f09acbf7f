// The operations of a resource in the OpenAPI document.
import type { TSchema } from "@sinclair/typebox";
import type { Resource } from "../schema/resource";
import { changeParameters, etag, idempotencyKey, link, location, readParameters } from "./headers";

type Named = Pick<Resource, "name" | "plural">;

/** Media type of a JSON merge patch (RFC 7396). */
export const patchMediaType = "application/merge-patch+json";

const changed = { 200: { description: "OK", headers: etag } };

export const describeList = ({ plural }: Named) => ({
  tags: [plural],
  summary: `List ${plural}`,
  description:
    "A page at a time; `next`, and the header `Link` (RFC 8288), lead to the one after it. A page with a filter may be short, " +
    "or empty, and still have a `next`: it reads a bounded number of records. What is changed or deleted in between never makes " +
    "another record be left out.",
  responses: { 200: { description: "A page.", headers: link } },
});

export const describeCreate = ({ name, plural }: Named) => ({
  tags: [plural],
  summary: `Create ${aOrAn(name)}`,
  description: `Publishes ${name}.created.`,
  parameters: [idempotencyKey],
  responses: { 201: { description: "Created; `Location` is its path.", headers: { ...location, ...etag } } },
});

export const describeRead = ({ name, plural }: Named, params: TSchema) => ({
  tags: [plural],
  summary: `Read ${aOrAn(name)}`,
  description: "Its `ETag` names its state, for conditional requests.",
  parameters: readParameters(params),
  responses: { ...changed, 304: { description: "The record is still in a state that the request names.", headers: etag } },
});

export const describeReplace = ({ name, plural }: Named, params: TSchema) => ({
  tags: [plural],
  summary: `Replace ${aOrAn(name)}`,
  description: `A field that is left out goes back to its default. Publishes ${name}.updated, unless nothing changes.`,
  parameters: changeParameters(params),
  responses: changed,
});

export const describePatch = ({ name, plural }: Named, params: TSchema) => ({
  tags: [plural],
  summary: `Change ${aOrAn(name)}`,
  description: `A JSON merge patch (RFC 7396): what is left out stays, null takes a value away or puts a default back. Publishes ${name}.updated, unless nothing changes.`,
  parameters: changeParameters(params),
  requestBody: { required: true, content: { [patchMediaType]: {}, "application/json": {} } },
  responses: changed,
});

export const describeRemove = ({ name, plural }: Named, params: TSchema) => ({
  tags: [plural],
  summary: `Delete ${aOrAn(name)}`,
  description: `Publishes ${name}.deleted, which carries the last state.`,
  parameters: changeParameters(params),
});

function aOrAn(name: string): string {
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
}
