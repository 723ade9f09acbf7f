import type { Identity } from "../answers";
import { linkTo, type Place } from "../hash";
import { Bare, Failed, Notice } from "../parts";
import { useStatus } from "../status";
import { useAnswer } from "../use-answer";
import { useTitle } from "../use-title";
import { number } from "../words";
import { QueueLetters } from "./queue";

/** Queues that the switch shows. The others are in the list without a chosen queue. */
const mostInSwitch = 4;

interface Counts {
  readonly queues: readonly { readonly queue: string; readonly count: number }[];
}

/** The events that consumers gave up: why, and what to do with them. */
export function DeadLetters({ place, identity }: { place: Place; identity: Identity }) {
  const [, name] = place.parts;
  useTitle(name === undefined ? "Dead letters" : `Dead letters of ${name}`);
  const mayRead = identity.scopes.includes("admin");
  const counts = useAnswer<Counts>(mayRead ? "/dead-letters" : undefined);
  const { status } = useStatus();
  if (!mayRead || !counts.data) {
    return (
      <Bare title="Dead letters">
        {!mayRead && <Notice title="Dead letters need a token with the scope admin.">They show errors of consumers.</Notice>}
        {mayRead && (counts.error ? <Failed error={counts.error} onRetry={counts.reload} /> : <Notice title="Loading…" />)}
      </Bare>
    );
  }
  const now = counts.data.queues.map(({ queue, count }) => ({
    queue,
    count: status?.queues?.find((one) => one.queue === queue)?.deadLetters ?? count,
  }));
  const failing = now.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  const queue = name ?? failing[0]?.queue;
  return (
    <>
      <header class="top">
        <h1>Dead letters</h1>
        <div class="at-end">
          <nav class="switch" aria-label="Queue">
            {shownInSwitch(failing, queue).map((one) => (
              <a key={one.queue} href={linkTo(["dead-letters", one.queue])} aria-current={one.queue === queue ? "true" : undefined}>
                {one.queue} <span class="quiet">{number(one.count)}</span>
              </a>
            ))}
          </nav>
        </div>
      </header>
      {queue === undefined ? (
        <Notice title="There are no dead letters.">An event that a consumer gives up appears here, with the reason.</Notice>
      ) : (
        <QueueLetters key={queue} queue={queue} query={place.query} count={now.find((one) => one.queue === queue)?.count} />
      )}
    </>
  );
}

function shownInSwitch(failing: Counts["queues"], current: string | undefined): Counts["queues"] {
  const shown = failing.slice(0, mostInSwitch);
  if (current === undefined || shown.some(({ queue }) => queue === current)) return shown;
  return [...shown.slice(0, mostInSwitch - 1), failing.find(({ queue }) => queue === current) ?? { queue: current, count: 0 }];
}
