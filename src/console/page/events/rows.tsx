import { Component } from "preact";
import type { Placed } from "../answers";
import { linkTo } from "../hash";
import { TableHead } from "../parts";
import { clock, fullTime, number } from "../words";

/** Events as rows of a table. */
export function Rows({ rows }: { rows: readonly Placed[] }) {
  return (
    <table class="events">
      <TableHead texts={["Time", "Type", "Record", "Actor"]} numbers={["Position"]} />
      <tbody>
        {rows.map((placed) => (
          <Row key={placed.position} placed={placed} />
        ))}
      </tbody>
    </table>
  );
}

/** Characters of a name that are put in a row, which has room for fewer. */
const mostOfName = 200;

/**
 * A row is made once, since an event never changes. It is not kept by `useMemo`: elements that are kept refer to the list that they were
 * made in, so that each list would keep the rows of all before it.
 */
class Row extends Component<{ readonly placed: Placed }> {
  override shouldComponentUpdate() {
    return false;
  }

  override render({ placed: { position, event } }: { readonly placed: Placed }) {
    const at = new Date(event.timestamp);
    const resource = event.type.split(".")[0] ?? "";
    const record = event[resource] as { readonly id?: unknown; readonly name?: unknown; readonly title?: unknown } | undefined;
    const name = record?.name ?? record?.title;
    return (
      <tr>
        <td class="when">
          <time class="mono soft" dateTime={event.timestamp} title={fullTime(at)}>
            {clock(at)}
          </time>
        </td>
        <td class="name">
          <a class="type" href={linkTo(["events", event.id])}>
            {event.type}
          </a>
        </td>
        <td class="fill note soft">
          {typeof record?.id === "number" ? `${resource} ${record.id}` : ""}
          {typeof name === "string" && `, ${name.slice(0, mostOfName)}`}
        </td>
        <td class="wide soft">{event.actor ?? <span class="quiet">–</span>}</td>
        <td class="number wide quiet">{number(position)}</td>
      </tr>
    );
  }
}
