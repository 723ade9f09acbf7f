import type { RemoteApi } from "../config/remote-api";
import { messageOf } from "../observe/logging";
import { StoreUnavailable } from "../store/errors";
import { answerMs } from "./answer-time";
import type { Door } from "./link";

/** The way to an API at a URL. */
export class HttpDoor implements Door {
  constructor(readonly api: RemoteApi) {}

  post(body: string): Promise<Response> {
    const { url, token } = this.api;
    return fetch(`${url}/changes`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(token !== null && { authorization: `Bearer ${token}` }) },
      body,
      // A redirect could lead the token elsewhere.
      redirect: "manual",
      signal: AbortSignal.timeout(answerMs),
    });
  }

  unreached(error: unknown): Error {
    const advice = "Start it, or check API_URL.";
    return new StoreUnavailable(`The API at ${this.api.url} cannot be reached. ${advice} (${messageOf(error)})`, { cause: error });
  }

  async refused(response: Response): Promise<Error> {
    const { status, headers } = response;
    const detail = await detailOf(response);
    const answers = `The API at ${this.api.url} answers with ${status}`;
    const said = detail === "" ? "" : ` (${detail})`;
    if (status === 413 || status === 422) return new Error(`${answers}${said}. Start the API and this consumer from the same version.`);
    return new StoreUnavailable(`${answers}${said}. ${adviceOn(status, this.api.token !== null, headers.get("location"))}`);
  }
}

function adviceOn(status: number, hasToken: boolean, location: string | null): string {
  if (status === 401 && !hasToken) return 'Set API_TOKEN to one of its tokens with the scope "admin".';
  if (status === 401 || status === 403) return 'Its token in API_TOKEN must be one of the API with the scope "admin".';
  if (location !== null) return `Set API_URL to where it leads: ${location.replace(/\/changes$/, "")}`;
  if (status === 404 || status === 405) return "Check API_URL, and that the API has the version of this consumer.";
  return "It is tried again.";
}

/** Resolves with what a problem says. */
async function detailOf(response: Response): Promise<string> {
  try {
    const { detail } = (await response.json()) as { detail?: unknown };
    return typeof detail === "string" ? detail.replace(/\.$/, "") : "";
  } catch {
    return "";
  }
}
