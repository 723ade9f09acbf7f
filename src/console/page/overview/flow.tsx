import type { History, Status } from "../answers";
import { minute, rate } from "../words";
import { Chart } from "./chart";
import { sinceStart } from "./since-start";

/** How many events were committed, confirmed, and failed, over time. */
export function Flow({ status: { flow, relay, here }, history }: { status: Status; history: History | undefined }) {
  const flows = history && sinceStart(history, here.startedAt);
  const second = relay
    ? { name: "Confirmed", rate: flow.confirmed ?? relay.perSecond, values: flows?.confirmed ?? [] }
    : { name: "Handled", rate: flow.handled, values: flows?.handled ?? [] };
  const lines = [
    { kind: "line-1" as const, values: flows?.committed ?? [] },
    ...(second.rate === null ? [] : [{ kind: "line-2" as const, values: second.values }]),
  ];
  const shown = [
    `committed ${rate(flow.committed)}`,
    ...(second.rate === null ? [] : [`${second.name.toLowerCase()} ${rate(second.rate)}`]),
  ];
  return (
    <section class="panel" aria-labelledby="flow">
      <header>
        <h2 id="flow">Flow</h2>
        <p class="key at-end">
          <span>
            <i />
            Committed <b>{rate(flow.committed)}/s</b>
          </span>
          {second.rate !== null && (
            <span>
              <i class="two" />
              {second.name} <b>{rate(second.rate)}/s</b>
            </span>
          )}
          {flow.failed !== null && (
            <span>
              <i class="bad" />
              Failed <b>{rate(flow.failed)}/s</b>
            </span>
          )}
        </p>
      </header>
      <div class="body">
        {flows && (
          <Chart
            lines={lines}
            bars={flows.failed}
            from={flows.from}
            to={flows.to}
            label={`Events per second since ${minute(flows.from)}. Now: ${shown.join(", ")} per second.`}
          />
        )}
      </div>
    </section>
  );
}
