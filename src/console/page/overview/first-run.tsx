import { useEffect, useState } from "preact/hooks";
import type { Catalogue, EventPage } from "../answers";
import { ask } from "../api";
import { linkTo } from "../hash";
import { mayChange } from "../mode";
import { Command } from "../parts";
import { useStatus } from "../status";
import { useAnswer } from "../use-answer";
import { Step } from "./step";

/** Shown while the log is empty: three steps from a first record to its timeline. */
export function FirstRun({ onDone }: { onDone: () => void }) {
  const { status } = useStatus();
  const { data: catalogue } = useAnswer<Catalogue>("/catalogue");
  const [mistake, setMistake] = useState<string>();
  const first = useFirstEvent(status?.log?.events ?? 0);
  const resource = catalogue?.resources.find(({ path, isRetired }) => path !== null && !isRetired);
  const consumer = catalogue?.consumers.find(({ name }) => name === "logger") ?? catalogue?.consumers[0];
  const hasConsumer = status?.queues?.some(({ consumers }) => consumers > 0) ?? false;
  const create = () => {
    setMistake(undefined);
    void ask(resource?.path ?? "", { method: "POST", body: resource?.example }).catch((error: Error) => setMistake(error.message));
  };
  return (
    <div class="start">
      <header>
        <h1>{first ? "Something has happened" : "Nothing has happened yet"}</h1>
        <p>
          Warren keeps every change to a resource as an event, and delivers it to each consumer until it is handled. Three steps show how.
        </p>
      </header>
      <ol class="panel">
        <Step
          number={1}
          title={`Create ${resource ? withArticle(resource.name) : "a record"}`}
          isDone={first !== undefined}
          isLater={false}
        >
          {resource && <Command text={curlFor(resource.path ?? "", resource.example)} />}
          {resource && !first && mayChange() && (
            <p>
              <button class="button main" type="button" onClick={create}>
                Create it
              </button>
            </p>
          )}
          {mistake && (
            <p class="mistake" role="alert">
              {mistake}
            </p>
          )}
        </Step>
        <Step number={2} title="Start a consumer" isDone={hasConsumer} isLater={!first}>
          <Command text={`bun run consumers/${consumer?.name ?? "NAME"}.ts`} />
          <p>{hasConsumer ? "A consumer is running." : "In a second terminal, in the same folder. This page notices it."}</p>
        </Step>
        <Step number={3} title="Follow the event" isDone={false} isLater={!first}>
          <p>Its timeline shows the request, the commit and each attempt.</p>
          {first && (
            <p class="row">
              <a class="button main" href={linkTo(["events", first])}>
                Show its timeline
              </a>
              <button class="button" type="button" onClick={onDone}>
                Go to the overview
              </button>
            </p>
          )}
        </Step>
      </ol>
    </div>
  );
}

/** Returns the id of the first event, once there is one. */
function useFirstEvent(events: number): string | undefined {
  const [id, setId] = useState<string>();
  useEffect(() => {
    if (events === 0 || id !== undefined) return;
    void ask<EventPage>("/events?after=0&limit=1").then(({ events: [first] }) => setId(first?.event.id));
  }, [events, id]);
  return id;
}

function curlFor(path: string, example: unknown): string {
  const { origin, pathname } = location;
  const base = origin + pathname.replace(/\/console\/?$/, "");
  return `curl ${base}${path} -H 'content-type: application/json' -d '${JSON.stringify(example).replaceAll("'", "'\\''")}'`;
}

function withArticle(name: string): string {
  return `${/^[aeiou]/i.test(name) ? "an" : "a"} ${name}`;
}
