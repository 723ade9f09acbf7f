import type { ObservedQueue, ReportedConsumer, Topology } from "../answers";
import { TableHead } from "../parts";
import { ConsumersCell, CountCell, DeadCell, NameCell, OldestCell, TypesCell, WorkCells } from "./cells";
import { workOf } from "./work";

interface QueueTableProps {
  readonly queues: readonly ObservedQueue[];
  readonly reports: readonly ReportedConsumer[];
  readonly topology: Topology | undefined;
  /** Only without RabbitMQ it is known how long an event has waited. */
  readonly isEmbedded: boolean;
}

export function QueueTable({ queues, reports, topology, isEmbedded }: QueueTableProps) {
  const numbers = ["Waiting", ...(isEmbedded ? ["Oldest"] : []), "Retries", "Dead", "Consumers", "Handled", "Handler p99"];
  return (
    <section class="panel" aria-label="Queues">
      <table>
        <TableHead texts={["Queue", "Events"]} numbers={numbers} />
        <tbody>
          {queues.map((queue) => (
            <tr key={queue.queue}>
              <NameCell queue={queue} />
              <TypesCell queue={queue.queue} topology={topology} />
              <CountCell label="Waiting" value={queue.messages} />
              {isEmbedded && <OldestCell queue={queue} />}
              <CountCell label="Retries" value={queue.retries} />
              <DeadCell queue={queue} />
              <ConsumersCell queue={queue} />
              <WorkCells work={workOf(queue.queue, reports)} />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
