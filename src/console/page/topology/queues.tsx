import type { ObservedQueue, Topology } from "../answers";
import { patternsOf } from "../consumers/patterns";
import { linkTo } from "../hash";
import { TableHead, Time } from "../parts";
import { toneOf } from "../queue-tone";
import { number } from "../words";

/** The queues with the events that each gets, as words. */
export function QueueTable({ topology, observed }: { topology: Topology; observed: readonly ObservedQueue[] | null }) {
  return (
    <section class="panel" aria-label="Queues">
      <table class="receivers">
        <TableHead texts={["Queue", "Events", "Consumers"]} numbers={["Waiting", "Announced"]} />
        <tbody>
          {topology.queues.map(({ queue, types, consumers, announcedAt }) => {
            const now = observed?.find((one) => one.queue === queue);
            const events = types === null ? "not read yet" : patternsOf(types, topology.resources).join(", ");
            return (
              <tr key={queue}>
                <td class="name">
                  <span class={`state ${now ? toneOf(now) : "idle"}`}>
                    <a href={linkTo(["consumers", queue])}>
                      <b>{queue}</b>
                    </a>
                  </span>
                </td>
                <td class="fill note" title={types?.join(", ")}>
                  <span class={types === null ? "quiet" : "type"}>{events}</span>
                </td>
                <td data-label="Consumers">
                  {consumers.join(", ") || <span class="quiet">{now?.consumers ? "of another project" : "–"}</span>}
                </td>
                <td class="number" data-label="Waiting">
                  {now?.messages == null ? <span class="quiet">–</span> : number(now.messages)}
                </td>
                <td class="number wide soft">{announcedAt === null ? <span class="quiet">–</span> : <Time at={announcedAt} />}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
