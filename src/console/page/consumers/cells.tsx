// Cells of a queue's row, on every page that lists queues.
import type { ObservedQueue, Topology } from "../answers";
import { linkTo } from "../hash";
import { toneOf } from "../queue-tone";
import { duration, number, rate } from "../words";
import { patternsOf } from "./patterns";
import type { QueueWork } from "./work";

const nothing = <span class="quiet">–</span>;

export function NameCell({ queue }: { queue: ObservedQueue }) {
  return (
    <td class="name">
      <span class={`state ${toneOf(queue)}`}>
        <a href={linkTo(["consumers", queue.queue])}>
          <b>{queue.queue}</b>
        </a>
      </span>
    </td>
  );
}

/** The event types that a queue gets, as patterns. */
export function TypesCell({ queue, topology }: { queue: string; topology: Topology | undefined }) {
  const types = topology?.queues.find((one) => one.queue === queue)?.types ?? [];
  return (
    <td class="types wide" title={types.join(", ")}>
      <code>{patternsOf(types, topology?.resources ?? []).join(", ")}</code>
    </td>
  );
}

export function CountCell({ label, value }: { label: string; value: number | null }) {
  return (
    <td class={`number ${value === 0 ? "zero" : ""}`} data-label={label}>
      {value === null ? nothing : number(value)}
    </td>
  );
}

export function DeadCell({ queue: { queue, deadLetters } }: { queue: ObservedQueue }) {
  return (
    <td class={`number ${deadLetters === 0 ? "zero" : ""}`} data-label="Dead">
      {deadLetters === 0 ? (
        "0"
      ) : (
        <a href={linkTo(["dead-letters", queue])} class="tag bad" aria-label={`${number(deadLetters)} dead letters of ${queue}`}>
          {number(deadLetters)}
        </a>
      )}
    </td>
  );
}

export function ConsumersCell({ queue: { consumers, messages, retries } }: { queue: ObservedQueue }) {
  const isAlone = consumers === 0 && (messages ?? 0) + retries > 0;
  return (
    <td class="number" data-label="Consumers">
      {isAlone ? <span class="tag warn">none</span> : number(consumers)}
    </td>
  );
}

/** How much the consumers of a queue handle, and how long that takes. */
export function WorkCells({ work: { handledPerSecond, handlerP99 } }: { work: QueueWork }) {
  return (
    <>
      <td class={`number wide ${handledPerSecond === 0 ? "zero" : ""}`}>
        {handledPerSecond === null ? nothing : `${rate(handledPerSecond)}/s`}
      </td>
      <td class="number wide">{handlerP99 === null ? nothing : duration(handlerP99 * 1000)}</td>
    </>
  );
}

export function OldestCell({ queue: { oldestSeconds } }: { queue: ObservedQueue }) {
  return <td class="number wide">{oldestSeconds === null ? nothing : duration(oldestSeconds * 1000)}</td>;
}
