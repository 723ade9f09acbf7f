import { STATUS_CODES } from "node:http";
import { type Static, Type } from "@sinclair/typebox";
import type { ValueError } from "@sinclair/typebox/errors";
import { type ProblemKind, type ProblemStatus, problemKinds } from "./problem-kinds";
import { requestIdOf } from "./request-id";

/** An error answer: RFC 9457, with the id of the request, and with `errors` for a body that has mistakes. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: "Names the kind of problem; the same for ever. A page that explains it." }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String()),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String({ description: "JSON pointer (RFC 6901) to the mistake." }), detail: Type.String() })),
    ),
    requestId: Type.String({ description: "The id of this request, as in `X-Request-Id` and in the log of the service." }),
  },
  { title: "Problem", description: "What went wrong: RFC 9457." },
);
export type Problem = Static<typeof Problem>;

/** Thrown by a route to answer with a problem. */
export class HttpProblem extends Error {
  override readonly name = "HttpProblem";
  constructor(
    readonly status: ProblemStatus,
    detail?: string,
    readonly errors?: Problem["errors"],
  ) {
    super(detail ?? problemKinds[status].title);
  }
}

/** What a problem may say besides its kind. */
export interface ProblemContent {
  readonly detail?: string;
  readonly errors?: Problem["errors"] | undefined;
}

/** The problem that a status stands for. */
export function problemOf(status: number, requestId: string, { detail, errors }: ProblemContent = {}): Problem {
  const kind = (problemKinds as Partial<Record<number, ProblemKind>>)[status];
  return {
    type: kind ? `/problems/${kind.name}` : "about:blank",
    title: kind?.title ?? STATUS_CODES[status] ?? "Error",
    status,
    ...(detail && { detail }),
    ...(errors && { errors }),
    requestId,
  };
}

export function problemResponse(request: Request, status: number, content?: ProblemContent, headers?: Record<string, string>): Response {
  const requestId = requestIdOf(request);
  return new Response(JSON.stringify(problemOf(status, requestId, content)), {
    status,
    headers: { "content-type": "application/problem+json", "x-request-id": requestId, ...headers },
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
