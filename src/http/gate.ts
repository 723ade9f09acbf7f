import type { Server } from "bun";
import type { Config } from "../config/config";
import type { Log } from "../observe/logging";
import type { Peers } from "../store/peers";
import { carriesAdminToken, requireToken } from "./access";
import { clientsBehind } from "./client-address";
import type { CrossOrigin } from "./cross-origin";
import { checkHost } from "./host";
import { refuseCrowd } from "./open-connections";
import { problemResponse } from "./problem";
import { limitRate } from "./rate-limit";

/** A request that has reached the gate. */
export interface Arrival {
  readonly request: Request;
  /** The path that the router uses. It can differ from the path in the URL. */
  readonly path: string;
  /** The server that received the request, or null if none listens. */
  readonly server: Server<unknown> | null;
}

/** The response to a request that a check refuses. Undefined if it passes. */
export type Checked = Response | undefined;

/**
 * Returns the checks that run before every route. They return a response to a request that must not reach a route, and
 * undefined otherwise. In this order, they check the total number of requests, the client's rate, the host, OPTIONS, the
 * origin and the token. Only the check of an issuer's token takes time, and so returns a promise.
 *
 * @param methodsAt returns the methods that a path supports.
 * @param isPublic returns whether a request needs no token.
 * @param peers other processes that serve the same clients.
 */
export function gate(
  config: Pick<Config, "apiTokens" | "issuer" | "rateLimit" | "trustedProxies" | "allowedHosts">,
  crossOrigin: CrossOrigin,
  methodsAt: (path: string) => readonly string[],
  isPublic: (method: string, path: string) => boolean,
  log: Log,
  peers?: Peers,
): (arrival: Arrival) => Checked | Promise<Checked> {
  const limit = config.rateLimit === null ? undefined : limitRate(config.rateLimit, peers);
  const clientOf = clientsBehind(config.trustedProxies);
  const refuseExcess = refuseCrowd();
  const refuseHost = checkHost(config.allowedHosts);
  const isConsumer = carriesAdminToken(config);
  const refuseStranger = requireToken(config, isPublic, log);

  function refuseFlood({ request, path, server }: Arrival): Response | undefined {
    // A consumer on another machine asks for what its events need. Whoever has no such token cannot guess any number of them here.
    if (path === "/changes" && isConsumer(request)) return undefined;
    return limit?.(request, clientOf(request, server));
  }
  // Needs no token: a browser sends none with a preflight, and the methods are public in the docs anyway.
  function answerOptions({ request, path }: Arrival): Response | undefined {
    if (request.method !== "OPTIONS") return undefined;
    const allow = methodsAt(path).join(", ");
    if (allow === "") return problemResponse(request, 404, { detail: `No route matches ${path}.` });
    return new Response(null, { status: 204, headers: { allow, ...crossOrigin.preflight(allow) } });
  }
  return (arrival) => {
    const { request, path, server } = arrival;
    return (
      refuseExcess(request, path, server) ??
      refuseFlood(arrival) ??
      refuseHost(request) ??
      answerOptions(arrival) ??
      crossOrigin.refuse(request) ??
      refuseStranger(request, path)
    );
  };
}
