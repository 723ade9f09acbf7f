import type { ReportedConsumer } from "../answers";
import { linkTo } from "../hash";
import { TableHead, Time } from "../parts";

const mostRows = 8;

interface ErrorsProps {
  /** Queues or processes with their last error. The API shows errors to admins only. */
  readonly of: readonly { readonly name: string; readonly lastError: ReportedConsumer["lastError"] }[];
  /** A word for the names, such as "Queue". */
  readonly kind: string;
}

/** The last errors, the newest first. Nothing if there are none. */
export function Errors({ of, kind }: ErrorsProps) {
  const failed = of.flatMap(({ name, lastError }) => (lastError ? [{ name, ...lastError }] : [])).sort((a, b) => (a.at < b.at ? 1 : -1));
  if (failed.length === 0) return null;
  return (
    <section class="panel fails" aria-labelledby="errors">
      <header>
        <h2 id="errors">Last errors</h2>
      </header>
      <table>
        <TableHead texts={["When", kind, "Error"]} numbers={["Event"]} />
        <tbody>
          {failed.slice(0, mostRows).map(({ name, at, event, error }, index) => (
            <tr key={`${name} ${index}`}>
              <td class="when soft">
                <Time at={at} />
              </td>
              <td class="name">
                <b>{name}</b>
              </td>
              <td class="fill note" title={error}>
                <code>{error}</code>
              </td>
              <td class="number more">
                {event !== null && (
                  <a class="link" href={linkTo(["events", event])}>
                    Show it
                  </a>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
