import { useEffect } from "preact/hooks";
import type { Identity, Replay } from "../answers";
import { ask } from "../api";
import type { Place } from "../hash";
import { mayChange } from "../mode";
import { Bare, Failed, Notice } from "../parts";
import { useAnswer } from "../use-answer";
import { useTitle } from "../use-title";
import { ReplayForm } from "./form";
import { ReplayList } from "./list";

const renewEveryMs = 1000;

/** Past events, sent to one queue again: how far each replay is, and a new one. */
export function Replays({ place, identity }: { place: Place; identity: Identity }) {
  useTitle("Replays");
  const mayUse = identity.scopes.includes("admin");
  const { data, error, at, reload } = useAnswer<{ readonly replays: readonly Replay[] }>(mayUse ? "/replays" : undefined);
  const isGoing = data?.replays.some(({ state }) => state === "running" || state === "queued") ?? false;
  useEffect(() => {
    if (!isGoing) return;
    const timer = setInterval(() => !document.hidden && reload(), renewEveryMs);
    return () => clearInterval(timer);
  }, [isGoing, reload]);
  if (!mayUse) {
    return (
      <Bare title="Replays">
        <Notice title="Replays need a token with the scope admin.">They make consumers work.</Notice>
      </Bare>
    );
  }
  const cancel = (id: string) => void ask(`/replays/${id}`, { method: "DELETE" }).then(reload, reload);
  return (
    <>
      <header class="top">
        <h1>Replays</h1>
      </header>
      <div class="columns">
        <div class="stack">
          {error && <Failed error={error} onRetry={reload} at={at} />}
          {data?.replays.length === 0 && <Notice title="Nothing was replayed yet.">A replay sends past events to one queue again.</Notice>}
          {data && data.replays.length > 0 && <ReplayList replays={data.replays} onCancel={cancel} />}
        </div>
        {mayChange() && <ReplayForm query={place.query} onStarted={reload} />}
      </div>
    </>
  );
}
