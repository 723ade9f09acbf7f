import { environment, type Running, run, send } from "../tests/support/processes";
import { VoidRun } from "./benchmark";
import { connections, type Load } from "./wrk";

export interface Server extends Running {
  readonly url: string;
}

/** Starts a server on a free port, as in production. Resolves when it listens. */
export async function startServer(file: string, env: Record<string, string>): Promise<Server> {
  const server = run([file], { env: { NODE_ENV: "production", PORT: "0", ...env } });
  const url = /listens on (http:\/\/[^ "]+)/.exec(await server.line("listens on"))?.[1];
  if (!url) throw new Error(`${file} did not print its address`);
  return { ...server, url };
}

/** Starts Warren with its database in a folder, and without a broker. */
export function startWarren(folder: string): Promise<Server> {
  return startServer("src/main.ts", environment(folder));
}

/** Resolves with the number of items in an in-memory baseline. */
export async function heldItems(server: Server): Promise<number> {
  return Number(await (await send("GET", `${server.url}/count`)).text());
}

/**
 * Checks the number of items against the responses that wrk counted.
 *
 * @throws {VoidRun} unless the server has every item it confirmed, and no more than wrk can have left unread.
 */
export function mustMatchAnswers(items: number, ...loads: readonly Load[]): void {
  const answers = loads.reduce((sum, { answers }) => sum + answers, 0);
  const most = answers + loads.length * connections;
  if (items < answers || items > most) throw new VoidRun(`${answers} requests got a 2xx response, but there are ${items} items`);
}
