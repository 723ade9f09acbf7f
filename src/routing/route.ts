import type { Server } from "bun";
import type { AnyElysia } from "elysia";
import type { ShownSetting } from "../config/settings";
import type { BrokerState } from "../delivery/broker-state";
import type { DeadLetterJobs } from "../delivery/dead-letter-jobs";
import type { DeadLetters } from "../delivery/dead-letters";
import type { Replays } from "../delivery/replays";
import type { Timeline } from "../delivery/timeline";
import type { TransportName } from "../delivery/transport";
import type { RequestStore } from "../http/request-store";
import type { Log } from "../observe/logging";
import type { Metrics } from "../observe/metrics";
import type { Catalogue } from "../schema/catalogue";
import type { LiveStatus } from "../status/live-status";
import type { Topology } from "../status/topology";
import type { LogEntry } from "../store/log";
import type { Store } from "../store/store";

/** The service's parts that a route can use. The router passes them to every file in `routes/`. */
export interface Dependencies {
  /** Returns the records of the store for one request. Its changes are made by the request's actor, and carry its id and trace. */
  readonly storeFor: (request: Request) => RequestStore;
  /**
   * The whole store, as the service itself uses it: without an actor, and so without the limits of one. Use it for what no request
   * asks for, and for the event log.
   */
  readonly system: Store;
  readonly catalogue: Catalogue;
  readonly deadLetters: DeadLetters;
  /** Work on many dead letters in the background. */
  readonly deadLetterJobs: DeadLetterJobs;
  readonly replays: Replays;
  /** Resolves with the history of the event with this id, or with undefined if the event does not exist. */
  readonly timeline: (id: string, isVisible?: (event: LogEntry) => boolean) => Promise<Timeline | undefined>;
  /** Metrics that this process exposes to Prometheus. A route may add its own. */
  readonly metrics: Metrics;
  /** The log of the service. Use it for information that the operator needs and the response does not contain. */
  readonly log: Log;
  /** The parts of the project besides its resources. */
  readonly project: Project;
  /** Resolves with how events go from resources to queues. */
  readonly topology: () => Promise<Topology>;
  /** The state of the whole system. */
  readonly status: LiveStatus;
  /**
   * Removes a queue that no consumer needs any more, with its retries, its dead letters and its schedule.
   *
   * @param options.force whether to remove it although what is in it is lost.
   * @throws {NotRemovable} if its consumer runs, it is the queue of a resource, or something would be lost.
   * @throws {UnknownQueue} if it does not exist.
   * @throws {QueueUnavailable} if RabbitMQ cannot be reached.
   */
  readonly removeQueue: (queue: string, options: { readonly force: boolean }) => Promise<RemovedQueue>;
  /** Returns every variable of the environment with what is in effect, without secrets. */
  readonly settings: () => ShownSetting[];
  /** Resolves with the current state of event delivery to RabbitMQ. */
  readonly relay: () => Promise<RelayStatus>;
  /** Returns the IP address of the client behind the trusted proxies, or null if the request has no open connection. */
  readonly clientOf: (request: Request, server: Server<unknown> | null) => string | null;
  /** Aborted when the service begins to stop. Endless work, such as a stream, must end then. */
  readonly stopping: AbortSignal;
}

/** A queue that was removed, and what was in it. */
export interface RemovedQueue {
  /** Its name. */
  readonly removed: string;
  /** Null if its consumer had not read this log. */
  readonly messages: number | null;
  readonly retries: number;
  readonly deadLetters: number;
}

/** The parts of a project. */
export interface Project {
  /** The consumers in `consumers/`. */
  readonly consumers: readonly ProjectConsumer[];
  /** The paths of its routes. */
  readonly paths: readonly string[];
}

export interface ProjectConsumer {
  readonly name: string;
  /** Undefined for a temporary queue. */
  readonly queue?: string | undefined;
  /** Event types or patterns. Undefined for all events of its queue. */
  readonly events?: readonly string[] | undefined;
  /** Pattern of cron, in place of events. */
  readonly schedule?: string | undefined;
  readonly description?: string;
  readonly exactlyOnce?: boolean;
}

/** The state of event delivery from the event log to RabbitMQ. */
export interface RelayStatus {
  readonly transport: TransportName;
  /** Connection of this process. */
  readonly broker: BrokerState;
  /** Host and port of the RabbitMQ node that this process is connected to. Null while there is none. */
  readonly node: string | null;
  /** True if this process sends the events. Of several processes, one does. */
  readonly isRunning: boolean;
  /** RabbitMQ has confirmed every event up to this position in the event log. */
  readonly position: number;
  /** Sentences about queues that refuse events, or could drop them, while RabbitMQ is connected. */
  readonly problems: readonly string[];
}

/** Builds the Elysia instance of a route file. */
export type Route<App extends AnyElysia = AnyElysia> = (dependencies: Dependencies) => App;

/**
 * Declares the routes of a file in `routes/`. The path of the file is the path of the URL, and the paths in it are relative
 * to that path. Export the result as the default of the file.
 *
 * @example
 * // routes/hello.ts is GET /hello
 * export default defineRoute(() => new Elysia().get("", () => "Hello"));
 */
export function defineRoute<App extends AnyElysia>(route: Route<App>): Route<App> {
  return route;
}
