// Answers of the API, as far as the pages read them. What the server's own types say is taken from there.
import type { ShownSetting as Setting } from "../../config/settings";
import type { DeadLetter as Letter } from "../../delivery/dead-letters";
import type { Timeline as WholeTimeline } from "../../delivery/timeline";
import type { Event as AnyEvent } from "../../schema/event";
import type { TopologyQueue, Topology as WholeTopology } from "../../status/topology";

export type { DescribedCatalogue as Catalogue } from "../../built-in/described-catalogue";
export type { DeadLetterJob as Job } from "../../delivery/dead-letter-job";
export type { Replay } from "../../delivery/replays";
export type { ShownTimer as Timer, TimerPage } from "../../delivery/shown-timers";
export type { ConsumerTimeline, TimelineAttempt } from "../../delivery/timeline";
export type { ReportedConsumer } from "../../status/consumer-reports";
export type { History } from "../../status/history";
export type { Latency } from "../../status/latency";
export type { Status } from "../../status/status";
export type { Need } from "../../status/system-needs";
export type { ObservedQueue } from "../../status/system-state";
export type { ShownWebhook as Webhook } from "../../status/webhooks";
export type { RelatedEvent } from "../../store/cause";

export type { Setting };
export type Timeline = WholeTimeline;
export type Event = AnyEvent & Readonly<Record<string, unknown>>;

export interface Identity {
  /** Null if the API requires no token. */
  readonly subject: string | null;
  readonly scopes: readonly string[];
  readonly operator: boolean;
  readonly expiresAt: string | null;
}

export interface Readiness {
  readonly status: "ready" | "degraded";
  readonly problems: readonly string[];
}

export interface Settings {
  readonly versions: {
    readonly warren: string;
    readonly bun: string;
    readonly project: string;
    readonly title: string;
    readonly system: string;
    readonly executable: boolean;
  };
  readonly settings: readonly Setting[];
}

export interface Placed {
  readonly position: number;
  readonly event: Event;
}

export interface EventPage {
  readonly events: readonly Placed[];
  readonly next: number;
  readonly more: boolean;
}

export interface DeadLetter extends Letter {
  /** Key of the letters with the same error. */
  readonly group: string;
  readonly subject: number | null;
}

export interface LetterPage {
  readonly deadLetters: readonly DeadLetter[];
  readonly next: number | null;
  readonly upTo: number;
}

export interface LetterGroup {
  readonly group: string;
  readonly error: string;
  readonly reason: string;
  readonly count: number;
  readonly types: readonly string[];
  readonly firstFailure: string | null;
  readonly lastFailure: string | null;
}

export interface LetterGroups {
  readonly groups: readonly LetterGroup[];
  readonly looked: number;
  readonly matched: number;
  readonly complete: boolean;
  readonly upTo: number;
}

/** A change in the history of a record. */
export interface RecordChange {
  readonly position: number;
  /** Id of the event. */
  readonly event: string;
  readonly type: string;
  readonly version: number | null;
  readonly at: string;
  readonly actor: string | null;
  /** Null if the log does not have the state before. */
  readonly changes: readonly { readonly pointer: string; readonly from?: unknown; readonly to?: unknown }[] | null;
}

export interface HistoryPage {
  readonly history: readonly RecordChange[];
  readonly next: number | null;
  readonly complete: boolean;
}

export interface Topology extends Omit<WholeTopology, "queues"> {
  readonly queues: readonly (TopologyQueue & { readonly consumers: readonly string[] })[];
}
