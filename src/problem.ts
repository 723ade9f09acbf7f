import { STATUS_CODES } from "node:http";
import { type Static, Type } from "@sinclair/typebox";
import type { ValueError } from "@sinclair/typebox/errors";

/** An error answer: RFC 9457, with `errors` for a body that has mistakes. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: "Names the kind of problem; the same for ever." }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String()),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String({ description: "JSON pointer (RFC 6901) to the mistake." }), detail: Type.String() })),
    ),
  },
  { title: "Problem", description: "What went wrong: RFC 9457." },
);
export type Problem = Static<typeof Problem>;

const kinds = {
  400: ["bad-request", "Bad request"],
  401: ["unauthorized", "A token is needed"],
  404: ["not-found", "Not found"],
  412: ["precondition-failed", "The record is not in the state that the request asks for"],
  413: ["too-large", "The body is too large"],
  415: ["unsupported-media-type", "Unsupported media type"],
  422: ["invalid", "The request is well-formed, but its content is not valid"],
  429: ["too-many-requests", "Too many requests"],
  500: ["internal", "Something went wrong on the server"],
  503: ["unavailable", "The service cannot do this now"],
} as const;

/** Kinds that share their status with another. */
const specialKinds = {
  "idempotency-key-reused": "The Idempotency-Key was used for another request",
} as const;

export type ProblemStatus = keyof typeof kinds;
export type SpecialKind = keyof typeof specialKinds;

/** Thrown by a route to answer with a problem. */
export class HttpProblem extends Error {
  override readonly name = "HttpProblem";
  constructor(
    readonly status: ProblemStatus,
    detail?: string,
    readonly errors?: Problem["errors"],
    readonly kind?: SpecialKind,
  ) {
    super(detail ?? kinds[status][1]);
  }
}

/** The problem that a status stands for. */
export function problemOf(status: number, detail?: string, errors?: Problem["errors"], special?: SpecialKind): Problem {
  const [kind, title] = special
    ? [special, specialKinds[special]]
    : ((kinds as Partial<Record<number, readonly [string, string]>>)[status] ?? []);
  return {
    type: kind ? `/problems/${kind}` : "about:blank",
    title: title ?? STATUS_CODES[status] ?? "Error",
    status,
    ...(detail && { detail }),
    ...(errors && { errors }),
  };
}

export function problemResponse(
  status: ProblemStatus,
  detail?: string,
  errors?: Problem["errors"],
  headers?: Record<string, string>,
  special?: SpecialKind,
): Response {
  return new Response(JSON.stringify(problemOf(status, detail, errors, special)), {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}

/** A body of megabytes can be wrong in a million places; nobody mends more than these at a time. */
const maxMistakes = 100;

/** Every mistake with its place and what was expected there, but never the value that was sent. */
export function describeMistakes(mistakes: Iterable<ValueError>): NonNullable<Problem["errors"]> {
  const byPlace = new Map<string, string>();
  // One for each place: a string that is too short breaks its pattern, too.
  for (const { pointer, detail } of placed(mistakes)) {
    if (!byPlace.has(pointer)) byPlace.set(pointer, detail);
    if (byPlace.size === maxMistakes) break;
  }
  return [...byPlace].map(([pointer, detail]) => ({ pointer, detail }));
}

function* placed(mistakes: Iterable<ValueError>): Generator<{ pointer: string; detail: string }> {
  for (const { path, schema, message, errors } of mistakes) {
    const alternatives = errors.map((branch) => [...placed(branch)]);
    // The alternative that the value was meant to be is the one that has its mistake further inside.
    const meant = alternatives.find(([first]) => first && first.pointer.length > path.length);
    if (meant) yield* meant;
    else if (typeof schema.description === "string") yield { pointer: path, detail: schema.description };
    else yield { pointer: path, detail: alternatives.flatMap(([first]) => first?.detail ?? []).join("; or ") || message };
  }
}
