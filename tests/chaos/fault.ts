import type { Need } from "./needs";
import type { System } from "./system";

export type TransportName = "rabbitmq" | "embedded";

/** What has to be different from a usual setting before the run begins. */
export interface Arrangement {
  /** Every process reaches RabbitMQ over a proxy of its own. */
  readonly proxies?: boolean;
  /** Megabytes of the disk that the API's database has for itself. Default: the disk that is there. */
  readonly diskMb?: number;
  /** Programs start with the clock of this file: see libfaketime. */
  readonly movableClock?: boolean;
  /** The API's system calls are written down. */
  readonly traced?: boolean;
  /** RabbitMQ is not there when everything else starts. */
  readonly brokerAbsent?: boolean;
}

/** Something that happens in production. */
export interface Fault {
  readonly name: string;
  readonly title: string;
  readonly transports: readonly TransportName[];
  /** How often it strikes in one run. */
  readonly strikes: { readonly full: number; readonly short: number };
  readonly needs?: readonly Need[];
  readonly arrange?: Arrangement;
  /** No client may see an error or a silence because of it. */
  readonly unnoticed?: boolean;
  /** Somebody asks for past events again, which come after later ones. */
  readonly replays?: boolean;
  /** Strikes once, at a random moment under load. Whatever it has broken may stay so until the next strike, or `heal`. */
  strike(system: System, strike: Strike): Promise<void>;
  /** Mends what a strike has left broken, apart from processes that do not run: those are started. */
  heal?(system: System): Promise<void>;
}

export interface Strike {
  readonly number: number;
  readonly isShort: boolean;
}
