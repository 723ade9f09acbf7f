import { useEffect } from "preact/hooks";
import type { Status, Topology as Ways } from "../answers";
import { useReports } from "../consumers/reports";
import { linkTo } from "../hash";
import { Bare, Failed, Notice } from "../parts";
import { useStatus } from "../status";
import { useAnswer } from "../use-answer";
import { useTitle } from "../use-title";
import { number, rate } from "../words";
import { Diagram } from "./diagram";
import { graphOf } from "./graph";
import { QueueTable } from "./queues";

/** Which events go to which queue, with what happens there now. */
export function Topology() {
  useTitle("Topology");
  const { data, error, reload } = useAnswer<Ways>("/topology");
  const reports = useReports();
  const { status } = useStatus();
  const names = status?.queues?.map(({ queue }) => queue).join();
  // A queue comes and goes with its consumer.
  useEffect(() => {
    if (data && names !== undefined) reload();
  }, [names]);
  if (!data) return <Bare title="Topology">{error ? <Failed error={error} onRetry={reload} /> : <Notice title="Loading…" />}</Bare>;
  const observed = status?.queues ?? null;
  return (
    <>
      <header class="top">
        <h1>Topology</h1>
        <div class="at-end">
          <a class="button" href={linkTo(["contracts"])}>
            Contracts
          </a>
        </div>
      </header>
      <div class="stack">
        {data.queues.length === 0 && <Notice title="There are no queues yet.">A consumer makes its queue when it first runs.</Notice>}
        <Diagram graph={graphOf(data, observed, reports)} heads={headsOf(data, status)} />
        {data.queues.length > 0 && <QueueTable topology={data} observed={observed} />}
      </div>
    </>
  );
}

/** The columns, with what goes through all of each. */
function headsOf({ transport }: Ways, status: Status | undefined) {
  const { flow, relay } = status ?? {};
  const waits = relay && relay.events > 0 ? `, ${number(relay.events)} to come` : "";
  return [
    { name: "Resources", about: flow ? `${rate(flow.committed)}/s` : "" },
    transport === "embedded"
      ? { name: "Event log", about: "" }
      : { name: "Exchanges", about: flow?.confirmed == null ? "" : `${rate(flow.confirmed)}/s${waits}` },
    { name: "Queues", about: "" },
    { name: "Consumers", about: flow?.handled == null ? "" : `${rate(flow.handled)}/s` },
  ];
}
