import type { Status } from "../answers";
import { linkTo } from "../hash";
import { Time, useNow } from "../parts";
import { until } from "../words";

const tones = { waiting: "good", running: "good live", stopped: "bad" } as const;

/** When consumers with a schedule are called. */
export function Schedules({ schedules }: { schedules: Status["schedules"] }) {
  const now = useNow(1000);
  return (
    <section class="panel" aria-labelledby="schedules">
      <header>
        <h2 id="schedules">Schedules</h2>
      </header>
      <table>
        <thead>
          <tr>
            <th scope="col">Consumer</th>
            <th scope="col">When</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Last
            </th>
            <th scope="col" class="number">
              Next
            </th>
          </tr>
        </thead>
        <tbody>
          {schedules.map(({ name, schedule, timeZone, state, lastAt, lastEvent, nextAt }) => (
            <tr key={name}>
              <td class="name">
                <a href={linkTo(["consumers", name])}>
                  <b>{name}</b>
                </a>
              </td>
              <td class="note">
                <code>{schedule}</code> <span class="quiet">{timeZone}</span>
              </td>
              <td data-label="State">
                <span class={`state ${tones[state]}`}>{state}</span>
              </td>
              <td class="number" data-label="Last">
                {lastAt === null || lastEvent === null ? (
                  <span class="quiet">never</span>
                ) : (
                  <a class="link" href={linkTo(["events", lastEvent])}>
                    <Time at={lastAt} />
                  </a>
                )}
              </td>
              <td class="number" data-label="Next">
                {nextAt === null ? <span class="quiet">–</span> : <Time at={nextAt}>{until(new Date(nextAt), now)}</Time>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
