import type { ApiToken } from "./api-access";
import type { ReadVariable } from "./variable";

/** An API on another machine, through which this process changes records. */
export interface RemoteApi {
  /** Its URL without a slash at the end. */
  readonly url: string;
  /** The token to send. Null for an API that needs none. */
  readonly token: string | null;
}

/**
 * Reads API_URL.
 *
 * @param tokens those in API_TOKEN. The first one with the scope `admin` is sent.
 */
export function readRemoteApi(variable: ReadVariable, tokens: readonly ApiToken[]): RemoteApi | null {
  const url = variable(
    "API_URL",
    null,
    httpUrl,
    "use the URL of the API, such as https://api.example.com, without user, password, query and fragment",
  );
  return url === null ? null : { url, token: tokens.find(({ scope }) => scope === "admin")?.token ?? null };
}

function httpUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol) || url.username + url.password + url.search + url.hash !== "") return undefined;
  return url.href.replace(/\/+$/, "");
}
