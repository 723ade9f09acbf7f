import type { Catalogue, Identity, Status } from "../answers";
import type { Place } from "../hash";
import { Bare, Command, Failed, Notice } from "../parts";
import { useStatus } from "../status";
import { useAnswer } from "../use-answer";
import { useTitle } from "../use-title";
import { Errors } from "./errors";
import { QueuePage } from "./queue";
import { QueueTable } from "./queue-table";
import { useReports, useTopology } from "./reports";
import { Schedules } from "./schedules";
import { Timers } from "./timers";

/** Who handles events: each queue with its consumers, schedules, and what is published later. */
export function Consumers({ place, identity }: { place: Place; identity: Identity }) {
  const name = place.parts[1];
  useTitle(name === undefined ? "Consumers" : `Consumers of ${name}`);
  const { status, refused } = useStatus();
  if (!status) {
    return (
      <Bare title="Consumers">{refused ? <Failed error={refused} onRetry={() => location.reload()} /> : <Notice title="Loading…" />}</Bare>
    );
  }
  if (name !== undefined) return <QueuePage key={name} name={name} status={status} identity={identity} />;
  return <All status={status} identity={identity} />;
}

function All({ status, identity }: { status: Status; identity: Identity }) {
  const { queues, schedules, timers } = status;
  const reports = useReports();
  const topology = useTopology();
  return (
    <>
      <header class="top">
        <h1>Consumers</h1>
      </header>
      <div class="stack">
        {queues === null && <Notice title="The queues are not known.">RabbitMQ cannot be reached.</Notice>}
        {queues?.length === 0 && <Notice title="There are no queues yet.">A consumer makes its queue when it first runs.</Notice>}
        {queues && queues.length > 0 && (
          <QueueTable queues={queues} reports={reports} topology={topology} isEmbedded={status.broker === null} />
        )}
        <Errors of={reports.map(({ queue: name, lastError }) => ({ name, lastError }))} kind="Queue" />
        {schedules.length > 0 && <Schedules schedules={schedules} />}
        {timers && timers.waiting + timers.problems > 0 && <Timers timers={timers} mayList={identity.scopes.includes("admin")} />}
        <NotStarted known={queues?.map(({ queue }) => queue) ?? []} />
      </div>
    </>
  );
}

/** The consumers of this project whose queue does not exist yet. */
function NotStarted({ known }: { known: readonly string[] }) {
  const { data } = useAnswer<Catalogue>("/catalogue");
  const consumers = (data?.consumers ?? []).filter(({ queue }) => queue === null || (!queue.includes("{") && !known.includes(queue)));
  if (consumers.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="not-started">
      <header>
        <h2 id="not-started">Also in this project</h2>
      </header>
      <ul class="body starts">
        {consumers.map(({ name, queue, description }) => (
          <li key={name}>
            <p>
              <b>{name}</b> <span class="quiet">{description ?? (queue === null ? "a temporary queue" : `the queue ${queue}`)}</span>
            </p>
            <Command text={`bun run consumers/${name}.ts`} />
          </li>
        ))}
      </ul>
    </section>
  );
}
