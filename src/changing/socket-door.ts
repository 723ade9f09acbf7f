import { messageOf } from "../observe/logging";
import { errorFrom } from "../store/error-text";
import { StoreUnavailable } from "../store/errors";
import { type Access, accessFileOf } from "./access-file";
import { answerMs } from "./answer-time";
import type { Door } from "./link";

/** The way to the API on this machine that owns a SQLite database. */
export class SocketDoor implements Door {
  #access: Promise<Access> | undefined;

  /** @param file the database. */
  constructor(readonly file: string) {}

  async post(body: string): Promise<Response> {
    const response = await this.#send(body);
    if (response.status !== 401) return response;
    // The API was started again, with another secret.
    this.#access = undefined;
    return this.#send(body);
  }

  unreached(error: unknown): Error {
    // The next one that starts has another address.
    this.#access = undefined;
    return new StoreUnavailable(`The API that owns ${this.file} cannot be reached: start it. (${messageOf(error)})`, { cause: error });
  }

  async refused(response: Response): Promise<Error> {
    if (response.status === 401) return new StoreUnavailable(`The API that owns ${this.file} starts.`);
    return errorFrom((await response.json()) as Parameters<typeof errorFrom>[0]);
  }

  async #send(body: string): Promise<Response> {
    this.#access ??= readAccess(this.file);
    const { socket, secret } = await this.#access;
    return fetch("http://localhost/", {
      ...{ unix: socket, method: "POST", headers: { authorization: secret }, body, signal: AbortSignal.timeout(answerMs) },
    });
  }
}

async function readAccess(database: string): Promise<Access> {
  return (await Bun.file(accessFileOf(database)).json()) as Access;
}
