import type { History, ObservedQueue } from "../answers";
import { ConsumersCell, CountCell, DeadCell, NameCell, TypesCell, WorkCells } from "../consumers/cells";
import { useReports, useTopology } from "../consumers/reports";
import { workOf } from "../consumers/work";
import { Notice, TableHead } from "../parts";
import { Spark } from "./chart";
import { sinceObserved } from "./since-start";

interface QueuesProps {
  /** Null if RabbitMQ cannot be asked. */
  readonly queues: readonly ObservedQueue[] | null;
  readonly history: History | undefined;
}

const numbers = ["Waiting", "Retries", "Dead", "Consumers", "Handled", "Handler p99", "Waiting over time"];

export function Queues({ queues, history }: QueuesProps) {
  const reports = useReports();
  const topology = useTopology();
  if (queues === null) return <Notice title="The queues are not known.">RabbitMQ cannot be reached.</Notice>;
  if (queues.length === 0) return <Notice title="There are no queues yet.">A consumer makes its queue when it first runs.</Notice>;
  return (
    <section class="panel" aria-label="Queues">
      <table>
        <TableHead texts={["Queue", "Events"]} numbers={numbers} />
        <tbody>
          {queues.map((queue) => {
            const waiting = history?.queues.find((one) => one.queue === queue.queue)?.waiting;
            return (
              <tr key={queue.queue}>
                <NameCell queue={queue} />
                <TypesCell queue={queue.queue} topology={topology} />
                <CountCell label="Waiting" value={queue.messages} />
                <CountCell label="Retries" value={queue.retries} />
                <DeadCell queue={queue} />
                <ConsumersCell queue={queue} />
                <WorkCells work={workOf(queue.queue, reports)} />
                <td class="wide spark-cell">{waiting && <Spark values={sinceObserved(waiting)} isBad={queue.deadLetters > 0} />}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
