import { useState } from "preact/hooks";
import type { Status, Timer, TimerPage } from "../answers";
import { linkTo } from "../hash";
import { mayChange } from "../mode";
import { Time, useNow } from "../parts";
import { useRenewed } from "../use-answer";
import { counted, number, until } from "../words";
import { CancelTimer } from "./cancel-timer";

const mostRows = 8;
const renewEveryMs = 5000;

interface TimersProps {
  readonly timers: NonNullable<Status["timers"]>;
  /** True if the session may see the events that they publish. */
  readonly mayList: boolean;
}

/** The events to publish later: how many, and which are next. */
export function Timers({ timers: { waiting, problems, nextAt }, mayList }: TimersProps) {
  const now = useNow(1000);
  const [leaving, setLeaving] = useState<Timer>();
  const { data, reload } = useRenewed<TimerPage>(mayList ? `/timers?limit=${mostRows}` : undefined, renewEveryMs);
  return (
    <section class="panel" aria-labelledby="timers">
      <header>
        <h2 id="timers">To be published later</h2>
        <span class="at-end">
          {counted(waiting, "event")}
          {nextAt !== null && `, the next ${until(new Date(nextAt), now)}`}
        </span>
      </header>
      {problems > 0 && (
        <p class="body mistake">
          {number(problems)} cannot be published. <code>bun run timers list --problem</code> shows why.
        </p>
      )}
      {data && data.timers.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Event</th>
              <th scope="col">Record</th>
              <th scope="col">Set by</th>
              <th scope="col" class="number">
                Due
              </th>
              <th scope="col">
                <span class="hidden">Cancel</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {data.timers.map((timer) => (
              <tr key={timer.number}>
                <td class="name" title={timer.problem ?? undefined}>
                  <span class={`state ${timer.problem === null ? "idle" : "bad"}`}>
                    <span class="type">{timer.type}</span>
                  </span>
                </td>
                <td data-label="Record">{timer.id}</td>
                <td class="fill note" data-label="Set by">
                  {timer.cause === null ? (
                    (timer.actor ?? <span class="quiet">–</span>)
                  ) : (
                    <a class="link" href={linkTo(["events", timer.cause])}>
                      {timer.actor ?? "a handler"}
                    </a>
                  )}
                </td>
                <td class="number" data-label="Due">
                  <Time at={timer.dueAt}>{until(new Date(timer.dueAt), now)}</Time>
                </td>
                <td class="number">
                  {mayChange() && (
                    <button class="button small" type="button" onClick={() => setLeaving(timer)}>
                      Cancel…
                      <span class="hidden">
                        {" "}
                        {timer.type} of {timer.id}
                      </span>
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {leaving && (
        <CancelTimer
          timer={leaving}
          onClose={() => setLeaving(undefined)}
          onCancelled={() => {
            setLeaving(undefined);
            reload();
          }}
        />
      )}
    </section>
  );
}
