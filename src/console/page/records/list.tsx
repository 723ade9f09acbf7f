import { useState } from "preact/hooks";
import { ask } from "../api";
import { linkTo } from "../hash";
import { Failed, Notice } from "../parts";
import { useAnswer } from "../use-answer";
import { counted, number } from "../words";
import type { Fields } from "./drafts";
import { ListFilters } from "./filters";
import { listQuery, type Resource } from "./listing";
import { RecordRows } from "./rows";

interface Page {
  readonly next: string | null;
  readonly count?: Count;
  readonly [plural: string]: unknown;
}

interface Count {
  readonly value: number;
  readonly isExact: boolean;
}

interface ListProps {
  readonly resource: Resource & { readonly path: string };
  readonly query: URLSearchParams;
}

/** One page of the records of a resource. */
export function RecordList({ resource, query }: ListProps) {
  const asked = listQuery(resource, query);
  const { data, error, at, reload } = useAnswer<Page>(`${resource.path}?${asked}`);
  const records = (data?.[resource.plural] ?? []) as readonly Fields[];
  const { after, ...filters } = Object.fromEntries(query);
  const link = (place?: string) => linkTo(["data", resource.name], { ...filters, after: place });
  const hasFilters = [...asked.keys()].some((key) => !["limit", "sort", "after"].includes(key));
  return (
    <div class="stack">
      <ListFilters resource={resource} query={query} />
      {error && <Failed error={error} onRetry={reload} at={at} />}
      {!data && !error && <Notice title="Loading…" />}
      {data && records.length === 0 && (
        <Notice title={data.next ? "No record so far matches." : hasFilters ? "No record matches." : `There is no ${resource.name} yet.`}>
          {data.next ? "A page looks at 1,000 records at most." : ""}
        </Notice>
      )}
      {data && (records.length > 0 || data.next || after) && (
        <section class="panel" aria-label={resource.plural}>
          {records.length > 0 && <RecordRows resource={resource} records={records} />}
          <footer class="pages">
            <Counted key={asked.toString()} path={resource.path} query={asked} />
            {after && (
              <a class="button small" href={link()}>
                First page
              </a>
            )}
            {data.next && (
              <a class="button small" href={link(data.next)}>
                Next page
              </a>
            )}
          </footer>
        </section>
      )}
    </div>
  );
}

/** Counts the records of the whole list when asked to, which reads many of them. */
function Counted({ path, query }: { path: string; query: URLSearchParams }) {
  const [count, setCount] = useState<Count | Error>();
  const load = () => {
    const whole = new URLSearchParams(query);
    whole.delete("after");
    whole.set("limit", "1");
    whole.set("count", "true");
    ask<Page>(`${path}?${whole}`).then((page) => setCount(page.count), setCount);
  };
  if (count instanceof Error) return <p class="mistake">{count.message}</p>;
  if (count)
    return (
      <p
        class="quiet"
        role="status"
      >{`${count.isExact ? "" : "At least "}${count.isExact ? counted(count.value, "record") : `${number(count.value)} records`}`}</p>
    );
  return (
    <p>
      <button class="button bare small" type="button" onClick={load}>
        Count them
      </button>
    </p>
  );
}
