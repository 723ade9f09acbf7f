import { useState } from "preact/hooks";
import type { Identity, ObservedQueue, Status } from "../answers";
import { go, linkTo } from "../hash";
import { mayChange } from "../mode";
import { Notice } from "../parts";
import { counted, duration, number, rate } from "../words";
import { Errors } from "./errors";
import { Processes } from "./processes";
import { QueueFacts } from "./queue-facts";
import { RemoveQueue } from "./remove";
import { useReports, useTopology } from "./reports";
import { Schedules } from "./schedules";
import { HowToStart } from "./start";
import { workOf } from "./work";

interface QueuePageProps {
  readonly name: string;
  readonly status: Status;
  readonly identity: Identity;
}

/** One queue: what is in it, who works on it, and how somebody would. */
export function QueuePage({ name, status, identity }: QueuePageProps) {
  const [isRemoving, setRemoving] = useState(false);
  const reports = useReports();
  const topology = useTopology();
  const queue = status.queues?.find((one) => one.queue === name);
  const known = topology?.queues.find((one) => one.queue === name);
  const schedules = status.schedules.filter((one) => one.name === name);
  const work = workOf(name, reports);
  // On RabbitMQ, a paused consumer is not counted, and the queue of a resource is made anew at each start.
  const isAbandoned = queue?.consumers === 0 && work.processes.length === 0;
  const isRemovable = isAbandoned && (queue.kind === "own" || status.broker === null) && identity.scopes.includes("admin");
  return (
    <>
      <header class="top">
        <h1>{name}</h1>
        <div class="at-end">
          <a class="button wide" href={linkTo(["consumers"])}>
            All consumers
          </a>
          {mayChange() && (
            <a class="button" href={linkTo(["replays"], { queue: name })}>
              Replay…
            </a>
          )}
          {isRemovable && mayChange() && (
            <button class="button danger" type="button" onClick={() => setRemoving(true)}>
              Remove…
            </button>
          )}
        </div>
      </header>
      {queue ? (
        <div class="columns">
          <div class="stack">
            <Figures queue={queue} isEmbedded={status.broker === null} handledPerSecond={work.handledPerSecond} />
            <Processes processes={work.processes} running={queue.consumers} />
            <Errors of={work.processes.map(({ host, pid, lastError }) => ({ name: `${host} ${pid}`, lastError }))} kind="Process" />
            {schedules.length > 0 && <Schedules schedules={schedules} />}
          </div>
          <div class="stack">
            {known && <QueueFacts queue={known} />}
            <HowToStart queue={name} names={known?.consumers ?? []} isRunning={queue.consumers > 0} />
          </div>
        </div>
      ) : (
        <Notice title="There is no queue with this name.">A consumer makes its queue when it first runs.</Notice>
      )}
      {isRemoving && queue && <RemoveQueue queue={queue} onClose={() => setRemoving(false)} onRemoved={() => go(linkTo(["consumers"]))} />}
    </>
  );
}

interface FiguresProps {
  readonly queue: ObservedQueue;
  readonly isEmbedded: boolean;
  readonly handledPerSecond: number | null;
}

function Figures({
  queue: { queue, messages, retries, deadLetters, consumers, oldestSeconds, perSecond },
  isEmbedded,
  handledPerSecond,
}: FiguresProps) {
  const oldest = isEmbedded && oldestSeconds !== null ? `The oldest for ${duration(oldestSeconds * 1000)}` : undefined;
  const growth =
    Math.abs(perSecond) < 0.05 ? "Neither grows nor shrinks" : `${perSecond > 0 ? "Grows" : "Shrinks"} by ${rate(Math.abs(perSecond))}/s`;
  const processes = consumers === 0 ? "No consumer is running" : `${counted(consumers, "consumer")} running`;
  const tiles = [
    { name: "Waiting", figure: messages === null ? "–" : number(messages), note: messages === 0 ? "None waits" : (oldest ?? growth) },
    { name: "Retries", figure: number(retries), note: retries === 0 ? "None has failed" : "Wait for their next attempt" },
    {
      name: "Dead letters",
      figure: number(deadLetters),
      note: deadLetters === 0 ? "None was given up" : "Look at them",
      isLink: deadLetters > 0,
    },
    { name: "Handled", figure: handledPerSecond === null ? "–" : rate(handledPerSecond), unit: "events/s", note: processes },
  ];
  return (
    <section class="panel" aria-label="Figures">
      <dl class="tiles">
        {tiles.map(({ name, figure, unit = "events", note, isLink }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="figure">
              {figure} <small>{unit}</small>
            </dd>
            <dd class="note">
              {isLink ? (
                <a class="link" href={linkTo(["dead-letters", queue])}>
                  {note}
                </a>
              ) : (
                note
              )}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
