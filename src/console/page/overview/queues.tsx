import type { History, ObservedQueue } from "../answers";
import { linkTo } from "../hash";
import { Notice } from "../parts";
import { duration, number } from "../words";
import { Spark } from "./chart";
import { sinceObserved } from "./since-start";

interface QueuesProps {
  /** Null if RabbitMQ cannot be asked. */
  readonly queues: readonly ObservedQueue[] | null;
  readonly history: History | undefined;
  readonly isEmbedded: boolean;
}

export function Queues({ queues, history, isEmbedded }: QueuesProps) {
  if (queues === null) return <Notice title="The queues are not known.">RabbitMQ cannot be reached.</Notice>;
  if (queues.length === 0) return <Notice title="There are no queues yet.">A consumer makes its queue when it first runs.</Notice>;
  return (
    <section class="panel" aria-label="Queues">
      <table>
        <thead>
          <tr>
            <th scope="col">Queue</th>
            <th scope="col" class="number">
              Waiting
            </th>
            <th scope="col" class="number">
              Retries
            </th>
            <th scope="col" class="number">
              Dead
            </th>
            <th scope="col" class="number">
              Consumers
            </th>
            {isEmbedded && (
              <th scope="col" class="number">
                Oldest
              </th>
            )}
            <th scope="col" class="number">
              Waiting over time
            </th>
          </tr>
        </thead>
        <tbody>
          {queues.map((queue) => (
            <Row
              key={queue.queue}
              queue={queue}
              isEmbedded={isEmbedded}
              waiting={history?.queues.find((one) => one.queue === queue.queue)?.waiting}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({
  queue: one,
  isEmbedded,
  waiting,
}: {
  queue: ObservedQueue;
  isEmbedded: boolean;
  waiting: readonly (number | null)[] | undefined;
}) {
  const { queue, messages, retries, deadLetters, consumers, oldestSeconds } = one;
  const isAlone = consumers === 0 && (messages ?? 0) + retries > 0;
  return (
    <tr>
      <td class="name">
        <span class={`state ${stateOf(one)}`}>
          <b>{queue}</b>
        </span>
      </td>
      <Count label="Waiting" value={messages} />
      <Count label="Retries" value={retries} />
      <td class={`number ${deadLetters === 0 ? "zero" : ""}`} data-label="Dead">
        {deadLetters === 0 ? (
          "0"
        ) : (
          <a href={linkTo(["dead-letters", queue])} class="tag bad" aria-label={`${number(deadLetters)} dead letters of ${queue}`}>
            {number(deadLetters)}
          </a>
        )}
      </td>
      <td class="number" data-label="Consumers">
        {isAlone ? <span class="tag warn">none</span> : number(consumers)}
      </td>
      {isEmbedded && <td class="number wide">{oldestSeconds === null ? <span class="quiet">–</span> : duration(oldestSeconds * 1000)}</td>}
      <td class="wide spark-cell">{waiting && <Spark values={sinceObserved(waiting)} isBad={deadLetters > 0} />}</td>
    </tr>
  );
}

function Count({ label, value }: { label: string; value: number | null }) {
  return (
    <td class={`number ${value === 0 ? "zero" : ""}`} data-label={label}>
      {value === null ? <span class="quiet">–</span> : number(value)}
    </td>
  );
}

function stateOf({ deadLetters, retries, consumers }: ObservedQueue): "good" | "warn" | "bad" | "idle" {
  if (deadLetters > 0) return "bad";
  if (retries > 0) return "warn";
  return consumers > 0 ? "good" : "idle";
}
