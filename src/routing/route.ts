import type { Server } from "bun";
import type { AnyElysia } from "elysia";
import type { BrokerState } from "../delivery/broker-state";
import type { DeadLetters } from "../delivery/dead-letters";
import type { Replays } from "../delivery/replays";
import type { Timeline } from "../delivery/timeline";
import type { Transport } from "../delivery/transport-name";
import type { Log } from "../observe/logging";
import type { Metrics } from "../observe/metrics";
import type { Catalogue } from "../schema/catalogue";
import type { Store } from "../store/store";

/** What a route may use. It is handed to every file in `routes/`. */
export interface Dependencies {
  readonly store: Store;
  readonly catalogue: Catalogue;
  readonly deadLetters: DeadLetters;
  readonly replays: Replays;
  /** What became of the event with an id; undefined: there is none. */
  readonly timeline: (id: string) => Promise<Timeline | undefined>;
  /** What this process tells Prometheus; a route may add its own. */
  readonly metrics: Metrics;
  /** For what the service's operator should know, and the answer to a request does not tell. */
  readonly log: Log;
  /** How things stand between the event log and RabbitMQ. */
  readonly relay: () => RelayStatus;
  /** The address of who sends a request, behind the proxies that are trusted. Null: it has no connection, or not any more. */
  readonly clientOf: (request: Request, server: Server<unknown> | null) => string | null;
  /** Aborted when the service begins to stop: what would go on for ever ends then. */
  readonly stopping: AbortSignal;
}

export interface RelayStatus {
  readonly transport: Transport["name"];
  readonly broker: BrokerState;
  /** Every event up to this position is confirmed by RabbitMQ. */
  readonly position: number;
  /** What keeps events from their queues, or could, though RabbitMQ is there; sentences for a person. */
  readonly problems: readonly string[];
}

export type Route<App extends AnyElysia = AnyElysia> = (dependencies: Dependencies) => App;

/**
 * Declares the routes of a file in `routes/`; the path of the file is the path of the URL, and the paths inside are
 * relative to it. Export the result as the file's default.
 *
 * @example
 * // routes/hello.ts is GET /hello
 * export default defineRoute(() => new Elysia().get("", () => "Hello"));
 */
export function defineRoute<App extends AnyElysia>(route: Route<App>): Route<App> {
  return route;
}
