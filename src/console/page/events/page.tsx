import { useRef, useState } from "preact/hooks";
import type { Place } from "../hash";
import { Icon } from "../icons";
import { Failed, Notice } from "../parts";
import { useTitle } from "../use-title";
import { number } from "../words";
import { Filters } from "./filters";
import { useReading } from "./reading";
import { Rows } from "./rows";
import { useTail } from "./tail";

const parameters = ["type", "resource", "id"] as const;

/** The events as they happen, the newest first. */
export function Events({ place }: { place: Place }) {
  useTitle("Events");
  const filter = new URLSearchParams(
    parameters.flatMap((name) => (place.query.get(name) ? [[name, place.query.get(name) ?? ""]] : [])),
  ).toString();
  const [isStopped, setStopped] = useState(false);
  const list = useRef<HTMLElement>(null);
  const { isReading, show } = useReading(list);
  const isPaused = isStopped || isReading;
  const tail = useTail(filter, isPaused);
  const showNew = () => {
    setStopped(false);
    scrollTo(0, 0);
    show();
  };
  return (
    <>
      <header class="top">
        <h1>Events</h1>
        <div class="at-end">
          {isPaused && tail.waiting > 0 && (
            <button class="button" type="button" onClick={showNew}>
              {number(tail.waiting)} new
            </button>
          )}
          <button class="button" type="button" aria-pressed={isStopped} onClick={() => setStopped(!isStopped)}>
            <span class={`state ${isPaused ? "idle" : tail.connection === "live" ? "good live" : "warn"}`}>
              {isPaused ? "Paused" : tail.connection === "live" ? "Live" : "Connecting"}
            </span>
            <Icon name={isStopped ? "play" : "pause"} />
          </button>
        </div>
      </header>
      <div class="stack">
        <Filters place={place} />
        {tail.error && <Failed error={tail.error} onRetry={tail.reload} />}
        {!tail.error && tail.rows.length === 0 && !tail.hasOlder && (
          <Notice title={tail.isLoading ? "Loading…" : "No event matches."}>
            {tail.isLoading ? "" : "New ones appear here as they happen."}
          </Notice>
        )}
        <section class="panel" aria-label="Events, the newest first" ref={list} hidden={tail.rows.length === 0 && !tail.hasOlder}>
          <Rows rows={tail.rows} />
          {tail.hasOlder && (
            <p class="more">
              <button class="button small" type="button" onClick={tail.loadOlder}>
                Older
              </button>
            </p>
          )}
        </section>
      </div>
    </>
  );
}
