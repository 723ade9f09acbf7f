import type { Need } from "./needs";
import type { System } from "./system";

export type TransportName = "rabbitmq" | "embedded";

/** Setup that a fault needs before the run begins. */
export interface Arrangement {
  /** True if each process reaches RabbitMQ through its own proxy. */
  readonly proxies?: boolean;
  /** Size of a separate disk for the API's database, in megabytes. Default: no separate disk. */
  readonly diskMb?: number;
  /** True if programs use a movable clock: see libfaketime. */
  readonly movableClock?: boolean;
  /** True if the API's system calls are recorded. */
  readonly traced?: boolean;
  /** True if RabbitMQ is down when everything else starts. */
  readonly brokerAbsent?: boolean;
}

/** A fault that occurs in production. */
export interface Fault {
  readonly name: string;
  readonly title: string;
  readonly transports: readonly TransportName[];
  /** Number of strikes per run. */
  readonly strikes: { readonly full: number; readonly short: number };
  readonly needs?: readonly Need[];
  readonly arrange?: Arrangement;
  /** True if no client may see an error or a missing response because of the fault. */
  readonly unnoticed?: boolean;
  /** True if the fault includes a replay, whose past events arrive after later ones. */
  readonly replays?: boolean;
  /** Strikes once, at a random moment under load. The damage may last until the next strike or `heal`. */
  strike(system: System, strike: Strike): Promise<void>;
  /** Repairs the damage of a strike. Stopped processes are started separately. */
  heal?(system: System): Promise<void>;
}

export interface Strike {
  readonly number: number;
  readonly isShort: boolean;
}
