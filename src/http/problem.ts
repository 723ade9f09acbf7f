import { type Static, Type } from "@sinclair/typebox";
import { InvertedStatusMap } from "elysia";
import { type ProblemKind, type ProblemStatus, problemKinds, type SpecialKind, specialKinds } from "./problem-kinds";
import { requestIdOf } from "./request-id";

/** Media type of a problem. */
export const problemType = "application/problem+json";

/**
 * Schema of an error response: a problem per RFC 9457, with the id of the request. Invalid content has `errors`, one for
 * each mistake. Use it as the response schema of error statuses.
 */
export const Problem = Type.Object(
  {
    type: Type.String({ description: "Identifies the kind of problem and never changes. The URL of a page that explains it." }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String()),
    errors: Type.Optional(
      Type.Array(
        Type.Object({ pointer: Type.String({ description: "JSON pointer (RFC 6901) to the invalid value." }), detail: Type.String() }),
      ),
    ),
    requestId: Type.String({ description: "The id of this request, also in the `X-Request-Id` header and in the service's log." }),
  },
  { title: "Problem", description: "Problem details (RFC 9457)." },
);
export type Problem = Static<typeof Problem>;

/** Returns the response schemas of error statuses: `response: { 200: Order, ...problems(404, 503) }`. */
export function problems<const Status extends ProblemStatus>(...statuses: Status[]): Record<Status, typeof Problem> {
  return Object.fromEntries(statuses.map((status) => [status, Problem])) as Record<Status, typeof Problem>;
}

/**
 * An error that a route throws to respond with a problem (RFC 9457).
 *
 * @example
 * throw new HttpProblem(404, `There is no order ${id}.`);
 */
export class HttpProblem extends Error {
  override readonly name = "HttpProblem";
  /** Additional headers of the response. */
  headers?: Readonly<Record<string, string>>;
  /**
   * @param status HTTP status of the response.
   * @param detail explains this occurrence to the client. Defaults to the title of the kind.
   * @param errors lists the mistakes in the content.
   * @param special names the kind of problem if it is not the default one for the status.
   */
  constructor(
    readonly status: ProblemStatus,
    detail?: string,
    readonly errors?: Problem["errors"],
    readonly special?: SpecialKind,
  ) {
    super(detail ?? problemKinds[status].title);
  }
}

/** The optional content of a problem. */
export interface ProblemContent {
  /** Explains this occurrence to the client. */
  readonly detail?: string;
  /** The mistakes in the content. */
  readonly errors?: Problem["errors"] | undefined;
  /** The kind of problem, if it is not the default one for the status. */
  readonly special?: SpecialKind | undefined;
}

/**
 * Returns the name of an HTTP status (RFC 9110), or undefined if it has none. It uses Elysia's list because loading
 * `node:http` is slow.
 */
export function nameOfStatus(status: number | string): string | undefined {
  return (InvertedStatusMap as Partial<Record<number | string, string>>)[status];
}

/** Returns the problem for a status. */
export function problemOf(status: number, requestId: string, content?: ProblemContent): Problem {
  return { ...problemInside(status, content), requestId };
}

/** Returns the problem of one part of a request, for use inside a response. It has no request id. */
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

/** Returns a response with the problem for a status. */
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
