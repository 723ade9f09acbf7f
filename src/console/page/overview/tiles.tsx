import type { Status } from "../answers";
import { bytes, counted, duration, number, rate } from "../words";

interface Tile {
  readonly name: string;
  readonly figure: string;
  readonly unit: string;
  readonly note: string;
}

export function Tiles({ status }: { status: Status }) {
  return (
    <section class="panel" aria-label="Figures">
      <dl class="tiles">
        {[committed(status), waiting(status), handled(status), failed(status)].map(({ name, figure, unit, note }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="figure">
              {figure} <small>{unit}</small>
            </dd>
            <dd class="note" title={note}>
              {note}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function committed({ flow, log, here }: Status): Tile {
  const size = here.databaseBytes === null ? "" : `, ${bytes(here.databaseBytes)}`;
  return { name: "Committed", figure: rate(flow.committed), unit: "events/s", note: `${number(log?.events ?? 0)} in the log${size}` };
}

/** On RabbitMQ, how fast it confirms. Without it, consumers read the log, and so what they have yet to read. */
function waiting({ flow, relay, queues }: Status): Tile {
  if (relay) {
    const note = relay.events === 0 ? "None waits" : `${number(relay.events)} wait, the oldest for ${duration(relay.ageSeconds * 1000)}`;
    return { name: "Confirmed by RabbitMQ", figure: rate(flow.confirmed ?? relay.perSecond), unit: "events/s", note };
  }
  const oldest = Math.max(0, ...(queues ?? []).map(({ oldestSeconds }) => oldestSeconds ?? 0));
  const all = sum(queues, ({ messages }) => messages ?? 0);
  return {
    name: "Waiting",
    figure: number(all),
    unit: "events",
    note: all === 0 ? "None waits" : `The oldest for ${duration(oldest * 1000)}`,
  };
}

/** Known from the consumers' reports; without any, how many there are. */
function handled({ flow, queues }: Status): Tile {
  const consumers = sum(queues, (queue) => queue.consumers);
  const note = `${counted(consumers, "consumer")} on ${counted(queues?.length ?? 0, "queue")}`;
  if (flow.handled !== null) return { name: "Handled", figure: rate(flow.handled), unit: "events/s", note };
  const without = queues?.filter((queue) => queue.consumers === 0).length ?? 0;
  return {
    name: "Consumers",
    figure: number(consumers),
    unit: "running",
    note: without > 0 ? `${counted(without, "queue")} without one` : `On ${counted(queues?.length ?? 0, "queue")}`,
  };
}

function failed({ flow, queues }: Status): Tile {
  const retries = sum(queues, (queue) => queue.retries);
  if (flow.failed !== null) {
    const note =
      retries === 0
        ? "None waits for its next attempt"
        : retries === 1
          ? "1 waits for its next attempt"
          : `${number(retries)} wait for their next attempt`;
    return { name: "Failed attempts", figure: rate(flow.failed), unit: "/s", note };
  }
  const dead = sum(queues, (queue) => queue.deadLetters);
  return {
    name: "Failing",
    figure: number(retries),
    unit: "to retry",
    note: dead === 0 ? "No dead letters" : counted(dead, "dead letter"),
  };
}

function sum(queues: Status["queues"], pick: (queue: NonNullable<Status["queues"]>[number]) => number): number {
  return (queues ?? []).reduce((total, queue) => total + pick(queue), 0);
}
