import type { Status } from "../answers";
import { linkTo } from "../hash";
import { TableHead, Time, useNow } from "../parts";
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
        <TableHead texts={["Consumer", "When", "State"]} numbers={["Last", "Next"]} />
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
