// Entity tags and the conditions on them: RFC 9110, sections 8.8.3 and 13.
import { HttpProblem } from "../http/problem";
import type { Stored } from "../store/stored";

/** `*`, or the tags as they were sent. */
type Tags = "*" | readonly string[];

export interface Preconditions {
  readonly ifMatch?: Tags | undefined;
  readonly ifNoneMatch?: Tags | undefined;
}

/**
 * The strong ETag of a record: its version, which no two states of one record share, since an id is never used again;
 * and a checksum, for a store that was put back to an older state and has counted on from there.
 */
export function etagOf({ version, json }: Pick<Stored, "version" | "json">): string {
  return `"${version}-${Bun.hash.crc32(json).toString(36)}"`;
}

/**
 * Undefined: the request has no conditions.
 *
 * @throws {HttpProblem} 400 for a header that is malformed. To take it for one that does not match would hide the mistake.
 */
export function preconditionsOf(ifMatch: string | null, ifNoneMatch: string | null): Preconditions | undefined {
  // An empty header is malformed, and no header is none.
  if (ifMatch === null && ifNoneMatch === null) return undefined;
  return { ifMatch: tagsOf("If-Match", ifMatch), ifNoneMatch: tagsOf("If-None-Match", ifNoneMatch) };
}

/** The header that does not hold for a record with this ETag; undefined: both hold. In the order of section 13.2.2. */
export function unmet({ ifMatch, ifNoneMatch }: Preconditions, etag: string): "If-Match" | "If-None-Match" | undefined {
  // Strong comparison: a weak tag is equal to none.
  if (ifMatch !== undefined && ifMatch !== "*" && !ifMatch.includes(etag)) return "If-Match";
  if (ifNoneMatch === "*" || ifNoneMatch?.some((tag) => tag.replace(/^W\//, "") === etag)) return "If-None-Match";
  return undefined;
}

/**
 * Whether the client of a GET has the record in this state already: 304.
 *
 * @throws {HttpProblem} 412 when If-Match does not hold.
 */
export function isUnchanged(name: string, headers: Headers, stored: Stored): boolean {
  const preconditions = preconditionsOf(headers.get("if-match"), headers.get("if-none-match"));
  const header = preconditions && unmet(preconditions, etagOf(stored));
  if (header === "If-Match") throw preconditionFailed(name, header, stored);
  return header === "If-None-Match";
}

/** Refuses a change with 412 when the record is in another state than the request asks for. Undefined: it asks for none. */
export function guardOf(name: string, headers: Headers): ((current: Stored) => void) | undefined {
  const preconditions = preconditionsOf(headers.get("if-match"), headers.get("if-none-match"));
  if (!preconditions) return undefined;
  return (current) => {
    const header = unmet(preconditions, etagOf(current));
    if (header) throw preconditionFailed(name, header, current);
  };
}

function preconditionFailed(name: string, header: "If-Match" | "If-None-Match", { id }: Stored): HttpProblem {
  const states = header === "If-Match" ? "none of the states that If-Match names" : "a state that If-None-Match excludes";
  return new HttpProblem(412, `The ${name} ${id} is in ${states}; read it again.`);
}

const tag = String.raw`(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"`;
/** Empty elements are allowed (section 5.6.1.2). */
const list = new RegExp(String.raw`^[ \t,]*${tag}(?:[ \t]*,[ \t,]*${tag})*[ \t,]*$`);

function tagsOf(header: string, value: string | null): Tags | undefined {
  if (value === null) return undefined;
  if (value.trim() === "*") return "*";
  if (!list.test(value)) throw new HttpProblem(400, `${header} is malformed: send *, or ETags with their quotes, separated by commas.`);
  return value.match(new RegExp(tag, "g")) ?? [];
}
