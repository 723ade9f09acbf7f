import { useEffect, useState } from "preact/hooks";
import type { LetterGroup, LetterGroups, ObservedQueue } from "../answers";
import { ask } from "../api";
import { linkTo } from "../hash";
import { TableHead, Time } from "../parts";
import { counted } from "../words";

type Failure = LetterGroup & { readonly queue: string };

/** Queues that are read. Each costs one pass over its dead letters. */
const mostQueues = 5;
const mostRows = 6;

/** The errors of the dead letters, the newest first. */
export function Failures({ queues }: { queues: readonly ObservedQueue[] | null }) {
  const failing = (queues ?? []).filter(({ deadLetters }) => deadLetters > 0).slice(0, mostQueues);
  const failures = useFailures(failing.map(({ queue, deadLetters }) => ({ queue, deadLetters })));
  if (failing.length === 0 || failures.length === 0) return null;
  return (
    <section class="panel fails" aria-labelledby="fails">
      <header>
        <h2 id="fails">Latest dead letters</h2>
        <a class="link at-end" href={linkTo(["dead-letters"])}>
          All dead letters
        </a>
      </header>
      <table>
        <TableHead texts={["When", "Queue", "Error"]} numbers={["Dead letters"]} />
        <tbody>
          {failures.map(({ queue, group, error, count, lastFailure }) => (
            <tr key={`${queue} ${group}`}>
              <td class="when soft">{lastFailure && <Time at={lastFailure} />}</td>
              <td class="name">
                <b>{queue}</b>
              </td>
              <td class="fill note">
                <a href={linkTo(["dead-letters", queue])}>
                  <code>{error}</code>
                </a>
              </td>
              <td class="number wide">
                <span class="tag bad">{counted(count, "event")}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Asks again when the number of dead letters has changed. A session that may not see them gets none. */
function useFailures(failing: readonly { readonly queue: string; readonly deadLetters: number }[]): readonly Failure[] {
  const [found, setFound] = useState<readonly Failure[]>([]);
  const state = JSON.stringify(failing);
  useEffect(() => {
    const leaving = new AbortController();
    const groupsOf = async (queue: string) => {
      const { groups } = await ask<LetterGroups>(`/dead-letters/${encodeURIComponent(queue)}/groups`, { signal: leaving.signal });
      return groups.map((group) => ({ ...group, queue }));
    };
    void Promise.all(failing.map(({ queue }) => groupsOf(queue).catch(() => []))).then((all) => {
      if (leaving.signal.aborted) return;
      const newest = all.flat().sort((a, b) => ((a.lastFailure ?? "") < (b.lastFailure ?? "") ? 1 : -1));
      setFound(newest.slice(0, mostRows));
    });
    return () => leaving.abort();
  }, [state]);
  return found;
}
