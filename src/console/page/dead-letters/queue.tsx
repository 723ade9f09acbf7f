import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { DeadLetter } from "../answers";
import { go, linkTo } from "../hash";
import { Icon } from "../icons";
import { mayChange } from "../mode";
import { Failed, Notice } from "../parts";
import { number } from "../words";
import { type Choice, countOf, everything, type Filters as Filter, jobsOf, nothing, toggleLetter, without } from "./choice";
import { ConfirmDiscard } from "./confirm";
import { Filters, periods } from "./filters";
import { Groups } from "./groups";
import { Help } from "./help";
import { Inspector } from "./inspector";
import { JobPanel, useJobs } from "./jobs";
import { useKeys } from "./keys";
import { useLetters } from "./use-letters";

interface QueueProps {
  readonly queue: string;
  readonly query: URLSearchParams;
  /** Dead letters of the queue by now. */
  readonly count: number | undefined;
}

/** The dead letters of one queue. */
export function QueueLetters({ queue, query, count }: QueueProps) {
  const filters = useFilters(query);
  const letters = useLetters(queue, filters);
  const { shown, upTo, looked, error, isLoading, reload, more } = letters;
  const [choice, setChoice] = useState<Choice>(nothing);
  const [discarding, setDiscarding] = useState<Choice>();
  const [isHelping, setHelping] = useState(false);
  const [mistake, setMistake] = useState<string>();
  const jobs = useJobs(queue, reload);
  const open = query.get("open") ?? undefined;
  const set = (change: Record<string, string | undefined>) =>
    go(linkTo(["dead-letters", queue], { ...Object.fromEntries(query), ...change }), { replace: true });
  const filterKey = JSON.stringify(filters);
  useEffect(() => setChoice(nothing), [filterKey]);

  const start = (action: "redrive" | "discard", chosen: Choice) => {
    setMistake(undefined);
    const bodies = jobsOf(chosen, { queue, filters, upTo }).map((body) => ({ action, ...body }));
    jobs.start(bodies).then(
      () => setChoice((now) => without(now, chosen)),
      (failure: Error) => setMistake(failure.message),
    );
  };
  const one = ({ id, group }: DeadLetter): Choice => ({ ...nothing, ids: new Map([[id, group]]) });
  const onOpen = useCallback((key: string | undefined) => set({ open: key }), [query.toString(), queue]);
  const onChoose = useCallback((letter: DeadLetter) => shown && setChoice((before) => toggleLetter(before, letter, shown)), [shown]);
  const onHelp = useCallback(() => setHelping(true), []);
  useKeys({ letters: shown?.letters ?? [], open, onOpen, onChoose, onHelp });
  const chosen = shown ? countOf(choice, shown) : 0;
  // The API counts the first ones of very many, and a job takes all.
  const hasMore = ({ all, groups }: Choice) => looked?.isComplete === false && (all || groups.size > 0);
  const orMore = hasMore(choice) && " or more";
  const types = [...new Set(shown?.groups.flatMap((group) => group.types) ?? [])];
  const reasons = [...new Set(shown?.groups.map(({ reason }) => reason) ?? [])];
  // What has arrived since is not put into the list below the reader's eyes.
  const fresh = looked?.isComplete && Object.keys(filters).length === 0 && count !== undefined ? count - looked.count : 0;

  return (
    <div class={open === undefined ? "stack" : "split"}>
      <div class="stack">
        <Filters query={query} reasons={reasons} types={types} onChange={set} />
        {jobs.shown.map((job) => (
          <JobPanel key={job.id} job={job} jobs={jobs} />
        ))}
        {mistake && (
          <p class="mistake" role="alert">
            {mistake}
          </p>
        )}
        {error && <Failed error={error} onRetry={reload} />}
        {!error && !shown && <Notice title={isLoading ? "Loading…" : "Nothing came."} />}
        {shown && shown.matched === 0 && (
          <Notice title={Object.keys(filters).length > 0 ? "No dead letter matches." : `${queue} has no dead letters.`} />
        )}
        {fresh > 0 && !isLoading && (
          <p>
            <button class="button small" type="button" onClick={reload}>
              Show {number(fresh)} new
            </button>
          </p>
        )}
        {shown && shown.matched > 0 && (
          <section class="panel" aria-label="Dead letters, by error">
            <Groups shown={shown} choice={choice} onChoose={setChoice} queue={queue} query={query} open={open} onMore={more} />
            {looked && !looked.isComplete && <p class="more quiet">Only the first {number(looked.count)} dead letters were searched.</p>}
            {chosen > 0 && mayChange() && (
              <section class="chosen" aria-label="Chosen dead letters">
                <p>
                  <b>
                    {number(chosen)}
                    {orMore} chosen
                  </b>{" "}
                  <span class="soft">of {number(shown.matched)}.</span>{" "}
                  {chosen < shown.matched ? (
                    <button class="link" type="button" onClick={() => setChoice(everything)}>
                      Choose all {number(shown.matched)}
                    </button>
                  ) : (
                    <button class="link" type="button" onClick={() => setChoice(nothing)}>
                      Choose none
                    </button>
                  )}
                </p>
                <button class="button danger" type="button" onClick={() => setDiscarding(choice)}>
                  Discard…
                </button>
                <button class="button main" type="button" onClick={() => start("redrive", choice)}>
                  <Icon name="redrive" /> Redrive {number(chosen)}
                  {orMore}
                </button>
              </section>
            )}
          </section>
        )}
      </div>
      {open !== undefined && (
        <Inspector
          queue={queue}
          name={open}
          onClose={() => onOpen(undefined)}
          onRedrive={(letter) => start("redrive", one(letter))}
          onDiscard={(letter) => setDiscarding(one(letter))}
        />
      )}
      {discarding && shown && (
        <ConfirmDiscard
          count={countOf(discarding, shown)}
          hasMore={hasMore(discarding)}
          queue={queue}
          onConfirm={() => start("discard", discarding)}
          onClose={() => setDiscarding(undefined)}
        />
      )}
      {isHelping && <Help onClose={() => setHelping(false)} />}
    </div>
  );
}

/** Returns the filters in the link, as the API takes them. A period is one that ended when it was chosen. */
function useFilters(query: URLSearchParams): Filter {
  const [type, reason, search, since] = ["type", "reason", "search", "since"].map((name) => query.get(name) || undefined);
  const from = useMemo(() => {
    const period = periods.find(({ value }) => value === since);
    return period && new Date(Date.now() - period.ms).toISOString();
  }, [since]);
  return useMemo(
    () => ({ ...(type && { type }), ...(reason && { reason }), ...(search && { search }), ...(from && { from }) }),
    [type, reason, search, from],
  );
}
