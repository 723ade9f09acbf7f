import type { ReportedConsumer } from "../answers";
import { Notice, TableHead, Time } from "../parts";
import { counted, duration, number, rate } from "../words";

interface ProcessesProps {
  readonly processes: readonly ReportedConsumer[];
  /** Consumers that the transport knows of. Those that have just started have not reported yet. */
  readonly running: number;
}

/** The processes that consume a queue, as they report. */
export function Processes({ processes, running }: ProcessesProps) {
  if (processes.length === 0) {
    return running === 0 ? (
      <Notice title="No consumer is running.">Its events wait until one is. None is lost.</Notice>
    ) : (
      <Notice title={`${counted(running, "consumer")} ${running === 1 ? "is" : "are"} running.`}>
        Their first report comes within seconds.
      </Notice>
    );
  }
  return (
    <section class="panel" aria-labelledby="processes">
      <header>
        <h2 id="processes">Processes</h2>
        <span class="at-end">counts since each started</span>
      </header>
      <table>
        <TableHead texts={["Process", "State"]} numbers={["Started", "Handled", "Failed", "Per second", "p50, p99"]} />
        <tbody>
          {processes.map((one) => (
            <Row key={`${one.host} ${one.pid} ${one.startedAt}`} process={one} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ process }: { process: ReportedConsumer }) {
  const { host, pid, startedAt, handled, failed, handledPerSecond, handler } = process;
  const { tone, text } = stateOf(process);
  return (
    <tr>
      <td class="name">
        <b>{host}</b> <span class="quiet">{pid}</span>
      </td>
      <td class="note">
        <span class={`state ${tone}`}>{text}</span>
      </td>
      <td class="number wide soft">
        <Time at={startedAt} />
      </td>
      <td class={`number ${handled === 0 ? "zero" : ""}`} data-label="Handled">
        {number(handled)}
      </td>
      <td class={`number ${failed === 0 ? "zero" : ""}`} data-label="Failed">
        {number(failed)}
      </td>
      <td class="number" data-label="Per second">
        {rate(handledPerSecond)}
      </td>
      <td class="number wide">
        {handler ? `${duration(handler.p50 * 1000)}, ${duration(handler.p99 * 1000)}` : <span class="quiet">–</span>}
      </td>
    </tr>
  );
}

function stateOf({ breaker, stage }: ReportedConsumer): { readonly tone: string; readonly text: string } {
  if (breaker === "open") return { tone: "bad", text: "paused, since too much fails" };
  if (breaker === "half-open") return { tone: "warn", text: "trying one event" };
  return stage === "consuming" ? { tone: "good", text: stage } : { tone: "warn", text: stage };
}
