import { useEffect, useState } from "preact/hooks";
import type { HistoryPage, RecordChange } from "../answers";
import { ask } from "../api";
import { linkTo } from "../hash";
import { Time } from "../parts";

const pageSize = 10;
/** Characters of a value in a change. */
const mostInChange = 80;

/**
 * The changes of a record, the newest first.
 *
 * @param version renews the list when it changes.
 */
export function RecordHistory({ path, version }: { path: string; version: unknown }) {
  const [shown, setShown] = useState<HistoryPage>();
  const [error, setError] = useState<Error>();
  const load = (before: readonly RecordChange[], place?: number, signal?: AbortSignal) =>
    void ask<HistoryPage>(`${path}/history?limit=${pageSize}${place ? `&before=${place}` : ""}`, signal && { signal }).then(
      (page) => setShown({ ...page, history: [...before, ...page.history] }),
      (refused: Error) => !signal?.aborted && setError(refused),
    );
  useEffect(() => {
    const leaving = new AbortController();
    setError(undefined);
    load([], undefined, leaving.signal);
    return () => leaving.abort();
  }, [path, version]);
  // A resource may have no route for it.
  if (error || !shown || shown.history.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="history">
      <header>
        <h2 id="history">History</h2>
        {!shown.complete && <span class="at-end">Older events were removed.</span>}
      </header>
      <ol class="changes-list">
        {shown.history.map((change) => (
          <Change key={change.position} change={change} />
        ))}
      </ol>
      {shown.next !== null && (
        <p class="more">
          <button class="button small" type="button" onClick={() => load(shown.history, shown.next ?? undefined)}>
            Older
          </button>
        </p>
      )}
    </section>
  );
}

function Change({ change: { event, type, version, at, actor, changes } }: { change: RecordChange }) {
  const isUpdate = changes?.some((one) => "from" in one && "to" in one) || changes?.length === 0;
  return (
    <li>
      <div>
        <a class="type" href={linkTo(["events", event])}>
          {type}
        </a>
        {version !== null && <span class="quiet">v{version}</span>}
        <span class="at-end quiet">
          {actor && `${actor}, `}
          <Time at={at} />
        </span>
      </div>
      {isUpdate && changes && changes.length > 0 && (
        <dl class="facts">
          {changes.map((one) => [
            <dt key={`${one.pointer} what`} class="mono" title={one.pointer}>
              {one.pointer.slice(1)}
            </dt>,
            <dd key={one.pointer}>
              {"from" in one && <del>{textOf(one.from)}</del>} {"to" in one && <ins>{textOf(one.to)}</ins>}
            </dd>,
          ])}
        </dl>
      )}
    </li>
  );
}

function textOf(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > mostInChange ? `${text.slice(0, mostInChange)}…` : text;
}
