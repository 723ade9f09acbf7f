import type { Server } from "bun";
import type { Config } from "../config/config";
import { requireToken } from "./access";
import { clientsBehind } from "./client-address";
import type { CrossOrigin } from "./cross-origin";
import { checkHost } from "./host";
import { refuseCrowd } from "./open-connections";
import { problemResponse } from "./problem";
import { limitRate } from "./rate-limit";

/** A request that has reached the gate. */
export interface Arrival {
  readonly request: Request;
  /** The one that the router goes by; the URL may say another. */
  readonly path: string;
  /** That it came to; null where none listens. */
  readonly server: Server<unknown> | null;
}

/**
 * What stands before every route. Answers a request that does not reach one: too many of them, in all or of a client, a wrong host, OPTIONS, a
 * page of another origin, no token. Undefined: it may pass.
 *
 * @param methodsAt answers the methods that a path knows.
 */
export function gate(
  config: Pick<Config, "apiTokens" | "rateLimit" | "trustedProxies" | "allowedHosts">,
  crossOrigin: CrossOrigin,
  methodsAt: (path: string) => readonly string[],
): (arrival: Arrival) => Response | undefined {
  const limit = config.rateLimit === null ? undefined : limitRate(config.rateLimit);
  const clientOf = clientsBehind(config.trustedProxies);
  const refuseExcess = refuseCrowd();
  const refuseHost = checkHost(config.allowedHosts);
  const refuseStranger = requireToken(config.apiTokens);

  function refuseFlood({ request, server }: Arrival): Response | undefined {
    return limit?.(request, clientOf(request, server));
  }
  // Without a token: a browser sends none with a preflight, and the docs say the same.
  function answerOptions({ request, path }: Arrival): Response | undefined {
    if (request.method !== "OPTIONS") return undefined;
    const allow = methodsAt(path).join(", ");
    if (allow === "") return problemResponse(request, 404, { detail: `There is nothing at ${path}.` });
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
