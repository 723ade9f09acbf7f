import type { NewTimer } from "../../timers";

/** An effect of a change on timers. */
export type TimerEffect =
  | { readonly kind: "setTimer"; readonly timer: NewTimer }
  | { readonly kind: "cancelTimer"; readonly key: string }
  | { readonly kind: "dropTimers"; readonly resource: string; readonly subject: number }
  | { readonly kind: "takeTimer"; readonly number: number }
  | { readonly kind: "hinderTimer"; readonly number: number; readonly problem: string };

/** The effects of a group of changes on timers: those it removes, then those it sets. */
export interface NetTimers {
  set: NewTimer[];
  readonly cancelled: string[];
  readonly dropped: { readonly resource: string; readonly subject: number }[];
  readonly taken: number[];
  readonly hindered: { readonly number: number; readonly problem: string }[];
}

/** Adds an effect to those before it. */
export function addTimerEffect(net: NetTimers, effect: TimerEffect): void {
  if (effect.kind === "setTimer") net.set.push(effect.timer);
  else if (effect.kind === "takeTimer") net.taken.push(effect.number);
  else if (effect.kind === "hinderTimer") net.hindered.push(effect);
  else if (effect.kind === "cancelTimer") {
    net.cancelled.push(effect.key);
    net.set = net.set.filter(({ key }) => key !== effect.key);
  } else {
    net.dropped.push(effect);
    net.set = net.set.filter(({ resource, subject }) => resource !== effect.resource || subject !== effect.subject);
  }
}

/** Returns the argument of the commit function for timers. Null if there is nothing to do. */
export function timersArgument(net: NetTimers, read: readonly number[]): string | null {
  if (read.length === 0 && Object.values(net).every((all: readonly unknown[]) => all.length === 0)) return null;
  return JSON.stringify({ read, ...net, set: net.set.map((timer) => ({ ...timer, due_at: timer.dueAt })) }, (_, value: unknown) =>
    // JSON of PostgreSQL takes no U+0000.
    typeof value === "string" ? value.replaceAll("\0", "\ufffd").toWellFormed() : value,
  );
}
