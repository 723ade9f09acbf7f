import type { NewEvent } from "../../changes/event-appender";
import type { FirstAnswer } from "../../changes/idempotency-keys";
import type { Stored } from "../../stored";
import type { Layout } from "./layout";
import { addTimerEffect, type NetTimers, type TimerEffect } from "./timer-effects";

/** The writes of a change. */
export type Effect =
  | { readonly kind: "record"; readonly layout: Layout; readonly id: number; readonly after: Stored | null; readonly origin: Origin }
  | { readonly kind: "upToDate"; readonly layout: Layout; readonly id: number }
  | { readonly kind: "event"; readonly event: NewEvent }
  | { readonly kind: "answer"; readonly key: string; readonly part: number; readonly first: FirstAnswer }
  | { readonly kind: "forget"; readonly key: string }
  | { readonly kind: "expire"; readonly now: number }
  | { readonly kind: "bury"; readonly subject: number; readonly types: readonly string[] }
  | { readonly kind: "rewrite"; readonly number: number; readonly answer: string }
  | TimerEffect;

/** Where the id of a record comes from: this process has drawn it, somebody else has chosen it, or the record exists. */
export type Origin = "drawn" | "chosen" | "present";

/** The final state of a record. */
export interface NetRecord {
  readonly layout: Layout;
  readonly id: number;
  /** Null: the record is deleted. */
  readonly after: Stored | null;
  readonly origin: Origin;
}

/** The net writes of a group of changes, without those that its changes have undone again. */
export interface NetEffect {
  readonly records: readonly NetRecord[];
  /** The new records, also those that are deleted again: the log has their ids. */
  readonly created: readonly NetRecord[];
  /** Records that are in the newest shape now. */
  readonly upToDate: readonly Pick<NetRecord, "layout" | "id">[];
  readonly events: readonly NewEvent[];
  readonly answers: readonly (FirstAnswer & { readonly key: string; readonly part: number })[];
  /** The keys whose earlier answers are deleted. */
  readonly forgotten: readonly string[];
  /** Answers whose life has ended before this time are deleted, a few at a time. 0: none are. */
  readonly expiredAt: number;
  readonly buried: readonly { readonly subject: number; readonly types: readonly string[] }[];
  readonly rewritten: readonly { readonly number: number; readonly answer: string }[];
  readonly timers: NetTimers;
}

/** Returns what effects come to together. */
export function netEffect(effects: readonly Effect[]): NetEffect {
  const records = new Map<string, NetRecord>();
  const answers = new Map<string, NetEffect["answers"][number]>();
  const [events, buried, rewritten]: [NewEvent[], NetEffect["buried"][number][], NetEffect["rewritten"][number][]] = [[], [], []];
  const forgotten = new Set<string>();
  const upToDate: NetEffect["upToDate"][number][] = [];
  const timers: NetTimers = { set: [], cancelled: [], dropped: [], taken: [], hindered: [] };
  let expiredAt = 0;
  for (const effect of effects) {
    if (effect.kind === "record") {
      const name = `${effect.layout.number}/${effect.id}`;
      // The first one knows whether the record existed.
      records.set(name, { ...effect, origin: records.get(name)?.origin ?? effect.origin });
    } else if (effect.kind === "event") events.push(effect.event);
    else if (effect.kind === "answer") answers.set(`${effect.part} ${effect.key}`, { ...effect.first, key: effect.key, part: effect.part });
    else if (effect.kind === "forget") forgotten.add(effect.key);
    else if (effect.kind === "expire") expiredAt = Math.max(expiredAt, effect.now);
    else if (effect.kind === "upToDate") upToDate.push(effect);
    else if (effect.kind === "bury") buried.push(effect);
    else if (effect.kind === "rewrite") rewritten.push(effect);
    else addTimerEffect(timers, effect);
  }
  return {
    records: [...records.values()].filter(({ after, origin }) => after || origin === "present"),
    created: [...records.values()].filter(({ origin }) => origin !== "present"),
    ...{ upToDate, events, answers: [...answers.values()], forgotten: [...forgotten], expiredAt, buried, rewritten, timers },
  };
}
