import { useState } from "preact/hooks";
import type { History, Status } from "../answers";
import { linkTo, type Place } from "../hash";
import { Icon } from "../icons";
import { Bare, Failed, Notice } from "../parts";
import { useStatus } from "../status";
import { useTitle } from "../use-title";
import { Failures } from "./failures";
import { FirstRun } from "./first-run";
import { Flow } from "./flow";
import { Legs } from "./legs";
import { Needs } from "./needs";
import { Queues } from "./queues";
import { Tiles } from "./tiles";
import { useHistory } from "./use-history";

const ranges = [
  { range: "15m", name: "15 min" },
  { range: "1h", name: "1 h" },
  { range: "6h", name: "6 h" },
] as const;

export function Overview({ place }: { place: Place }) {
  useTitle("Overview");
  const { status, refused } = useStatus();
  // The steps stay until one leaves the page, so that they can be seen to be done.
  const [isFirst, setFirst] = useState<boolean>();
  const [paused, setPaused] = useState<Status>();
  const range = ranges.find((one) => one.range === place.query.get("range"))?.range ?? "15m";
  const history = useHistory(range, paused !== undefined);
  if (!status) {
    return (
      <Bare title="Overview">{refused ? <Failed error={refused} onRetry={() => location.reload()} /> : <Notice title="Loading…" />}</Bare>
    );
  }
  if (isFirst === undefined) setFirst((status.log?.events ?? 0) === 0);
  if (isFirst) return <FirstRun onDone={() => setFirst(false)} />;
  return (
    <>
      <header class="top">
        <h1>Overview</h1>
        <div class="at-end">
          <nav class="switch wide" aria-label="Period">
            {ranges.map((one) => (
              <a key={one.range} href={linkTo(["overview"], { range: one.range })} aria-current={one.range === range ? "true" : undefined}>
                {one.name}
              </a>
            ))}
          </nav>
          <button class="button" type="button" aria-pressed={paused !== undefined} onClick={() => setPaused(paused ? undefined : status)}>
            <span class={`state ${paused ? "idle" : "good live"}`}>{paused ? "Paused" : "Live"}</span>
            <Icon name={paused ? "play" : "pause"} />
          </button>
        </div>
      </header>
      <Figures status={paused ?? status} history={history} />
    </>
  );
}

function Figures({ status, history }: { status: Status; history: History | undefined }) {
  return (
    <div class="stack">
      {status.needs.length > 0 && <Needs needs={status.needs} />}
      <Tiles status={status} />
      <div class="columns">
        <Flow status={status} history={history} />
        <Legs latency={status.latency} />
      </div>
      <Queues queues={status.queues} history={history} />
      <Failures queues={status.queues} />
    </div>
  );
}
