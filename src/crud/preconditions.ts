// Entity tags (RFC 9110, section 8.8.3) and conditional requests (section 13).
import { HttpProblem } from "../http/problem";
import type { Stored } from "../store/stored";

/** `*`, or the list of entity tags as sent by the client. */
type Tags = "*" | readonly string[];

/** The conditions of a request. An undefined field means that the header is absent. */
export interface Preconditions {
  readonly ifMatch?: Tags | undefined;
  readonly ifNoneMatch?: Tags | undefined;
}

/**
 * Returns the strong ETag of a record: its version and a checksum. Ids are never reused, so no two states of a record
 * share a version. The checksum covers a store that was restored from a backup and has since reused version numbers.
 */
export function etagOf({ version, json }: Pick<Stored, "version" | "json">): string {
  return `"${version}-${Bun.hash.crc32(json).toString(36)}"`;
}

/**
 * Parses the conditions of a request. Returns undefined if it has none.
 *
 * @throws {HttpProblem} 400 for a malformed header. Treating it as one that does not match would hide the mistake.
 */
export function preconditionsOf(ifMatch: string | null, ifNoneMatch: string | null): Preconditions | undefined {
  // Compared with null because an empty header is present, but malformed.
  if (ifMatch === null && ifNoneMatch === null) return undefined;
  return { ifMatch: tagsOf("If-Match", ifMatch), ifNoneMatch: tagsOf("If-None-Match", ifNoneMatch) };
}

/**
 * Returns the first condition that a record with this ETag does not meet, or undefined if it meets both. The order of
 * evaluation follows section 13.2.2.
 */
export function unmet({ ifMatch, ifNoneMatch }: Preconditions, etag: string): "If-Match" | "If-None-Match" | undefined {
  // Strong comparison: a weak tag never matches.
  if (ifMatch !== undefined && ifMatch !== "*" && !ifMatch.includes(etag)) return "If-Match";
  if (ifNoneMatch === "*" || ifNoneMatch?.some((tag) => tag.replace(/^W\//, "") === etag)) return "If-None-Match";
  return undefined;
}

/**
 * Returns whether the client of a GET already has the record in this state, so that the response is 304.
 *
 * @throws {HttpProblem} 412 if If-Match does not hold.
 */
export function isUnchanged(name: string, headers: Headers, stored: Stored): boolean {
  const preconditions = preconditionsOf(headers.get("if-match"), headers.get("if-none-match"));
  const header = preconditions && unmet(preconditions, etagOf(stored));
  if (header === "If-Match") throw preconditionFailed(name, header, stored);
  return header === "If-None-Match";
}

/**
 * Returns a check that throws a 412 problem if the state of the record does not meet the request's conditions. Returns
 * undefined if the request has no conditions.
 */
export function guardOf(name: string, headers: Headers): ((current: Stored) => void) | undefined {
  const preconditions = preconditionsOf(headers.get("if-match"), headers.get("if-none-match"));
  if (!preconditions) return undefined;
  return (current) => {
    const header = unmet(preconditions, etagOf(current));
    if (header) throw preconditionFailed(name, header, current);
  };
}

function preconditionFailed(name: string, header: "If-Match" | "If-None-Match", { id }: Stored): HttpProblem {
  const states = header === "If-Match" ? "does not match any ETag in If-Match" : "matches an ETag in If-None-Match";
  return new HttpProblem(412, `The ${name} ${id} ${states}. Read it again.`);
}

const tag = String.raw`(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"`;
/** A list of entity tags. Empty elements are allowed (section 5.6.1.2). */
const list = new RegExp(String.raw`^[ \t,]*${tag}(?:[ \t]*,[ \t,]*${tag})*[ \t,]*$`);

function tagsOf(header: string, value: string | null): Tags | undefined {
  if (value === null) return undefined;
  if (value.trim() === "*") return "*";
  if (!list.test(value)) throw new HttpProblem(400, `${header} is malformed. Send *, or quoted ETags separated by commas.`);
  return value.match(new RegExp(tag, "g")) ?? [];
}
