import { number } from "../observe/amounts";
import type { QueueState } from "../status/queue-states";
import type { Column } from "./table";
import type { Paint } from "./text";

/** Columns with what a queue holds, for every table of queues. */
export const backlogColumns: readonly Column[] = ["WAITING", "RETRIES", "DEAD"].map((title) => ({ title, align: "right" }));

/** Returns the cells of {@link backlogColumns}. */
export function backlogCells({ messages, retries, deadLetters }: Pick<QueueState, "messages" | "retries" | "deadLetters">, paint: Paint) {
  return [messages === null ? "–" : number(messages), number(retries), deadLetters > 0 ? paint("red", number(deadLetters)) : "0"];
}
