import { type Static, Type } from "@sinclair/typebox";
import { InvertedStatusMap } from "elysia";
import { type ProblemKind, type ProblemStatus, problemKinds, type SpecialKind, specialKinds } from "./problem-kinds";
import { requestIdOf } from "./request-id";

/** Its media type. */
export const problemType = "application/problem+json";

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
  /** Headers that the answer has besides its own. */
  headers?: Readonly<Record<string, string>>;
  constructor(
    readonly status: ProblemStatus,
    detail?: string,
    readonly errors?: Problem["errors"],
    readonly special?: SpecialKind,
  ) {
    super(detail ?? problemKinds[status].title);
  }
}

/** What a problem may say besides its kind. */
export interface ProblemContent {
  readonly detail?: string;
  readonly errors?: Problem["errors"] | undefined;
  /** Its kind, where that is not the one of its status. */
  readonly special?: SpecialKind | undefined;
}

/** What HTTP calls a status (RFC 9110). Elysia's list, since to load `node:http` takes 20 ms; undefined: it has no name. */
export function nameOfStatus(status: number | string): string | undefined {
  return (InvertedStatusMap as Partial<Record<number | string, string>>)[status];
}

/** The problem that a status stands for. */
export function problemOf(status: number, requestId: string, content?: ProblemContent): Problem {
  return { ...problemInside(status, content), requestId };
}

/** The problem of a part of a request, inside of its answer. */
export function problemInside(status: number, { detail, errors, special }: ProblemContent = {}): Omit<Problem, "requestId"> {
  const kind = special ? specialKinds[special] : (problemKinds as Partial<Record<number, ProblemKind>>)[status];
  return {
    type: kind ? `/problems/${kind.name}` : "about:blank",
    title: kind?.title ?? nameOfStatus(status) ?? "Error",
    status,
    ...(detail && { detail }),
    ...(errors && { errors }),
  };
}

export function problemResponse(
  request: Request,
  status: number,
  content?: ProblemContent,
  headers?: Readonly<Record<string, string>>,
): Response {
  const requestId = requestIdOf(request);
  return new Response(JSON.stringify(problemOf(status, requestId, content)), {
    status,
    headers: { ...headers, "content-type": problemType, "x-request-id": requestId },
  });
}
