import type { ObservedQueue } from "./answers";

/** Returns how a queue does. */
export function toneOf({ deadLetters, retries, consumers }: ObservedQueue): "good" | "warn" | "bad" | "idle" {
  if (deadLetters > 0) return "bad";
  if (retries > 0) return "warn";
  return consumers > 0 ? "good" : "idle";
}
