import { useEffect } from "preact/hooks";
import type { Identity, EventPage as Page, Placed, Timeline } from "../answers";
import { linkTo } from "../hash";
import { Icon } from "../icons";
import { Json } from "../json";
import { mayChange } from "../mode";
import { Bare, Copy, Failed, Notice, useNow } from "../parts";
import { type Answer, useAnswer } from "../use-answer";
import { useTitle } from "../use-title";
import { counted } from "../words";
import { Change } from "./change";
import { Facts, RecordHistory } from "./facts";
import { lanesOf } from "./lanes";
import { Steps } from "./steps";
import { TimelinePanel } from "./timeline";

/** Events of the record that are shown beside this one. */
const mostHistory = 8;
/** How often the timeline of an event that is not finished everywhere is renewed, in milliseconds. */
const renewEveryMs = 2000;

/** One event: its way to each consumer, and what it says. */
export function EventPage({ id, identity }: { id: string; identity: Identity }) {
  const found = useAnswer<Placed>(`/events/${encodeURIComponent(id)}`);
  const isAdmin = identity.scopes.includes("admin");
  const timeline = useAnswer<Timeline>(isAdmin && found.data ? `/events/${encodeURIComponent(id)}/timeline` : undefined);
  useRenewed(timeline);
  const event = found.data?.event;
  const { resource, record, subject } = aboutOf(event);
  useTitle(event && subject !== undefined ? `${event.type} of ${resource} ${subject}` : "Event");
  if (!found.data || !event) {
    return <Bare title="Event">{found.error ? <Failed error={found.error} onRetry={found.reload} /> : <Notice title="Loading…" />}</Bare>;
  }
  const lanes = timeline.data && lanesOf(timeline.data);
  const dead = timeline.data?.consumers.filter(({ state }) => state === "dead-letter").length ?? 0;
  return (
    <>
      <header class="top">
        <h1 class="crumb">
          <a class="wide" href={linkTo(["events"])}>
            Events
          </a>{" "}
          <span class="wide">/</span> <b class="mono">{event.type}</b>
        </h1>
        {dead > 0 && <span class="tag bad">{counted(dead, "dead letter")}</span>}
        <div class="at-end">
          {isAdmin && mayChange() && subject !== undefined && (
            <a class="button" href={linkTo(["replays"], { events: event.type, id: String(subject) })}>
              <Icon name="redrive" /> Replay…
            </a>
          )}
          <Copy text={curlOf(id)} label="curl" />
          <Copy text={() => JSON.stringify(event, null, 2)} label="JSON" />
        </div>
      </header>
      <div class="columns">
        <div class="stack">
          {lanes && <TimelinePanel lanes={lanes} id={id} hasRequest={timeline.data?.request.at !== null} />}
          {timeline.error && <Failed error={timeline.error} onRetry={timeline.reload} at={timeline.at} />}
          {!isAdmin && <Notice title="The timeline needs a token with the scope admin.">It shows errors of consumers.</Notice>}
          {timeline.data && <Steps timeline={timeline.data} />}
          <section class="panel" aria-labelledby="whole">
            <header>
              <h2 id="whole">The event, as published</h2>
            </header>
            <div class="body">
              <Json value={event} />
            </div>
          </section>
        </div>
        <aside class="stack" aria-label="About this event">
          <Facts placed={found.data} resource={resource} subject={subject} timeline={timeline.data} />
          {subject !== undefined && record && <About placed={found.data} resource={resource} subject={subject} record={record} />}
        </aside>
      </div>
    </>
  );
}

type Fields = Readonly<Record<string, unknown>>;

/** The event's change of its record, and the record's other events. */
function About({ placed, resource, subject, record }: { placed: Placed; resource: string; subject: number; record: Fields }) {
  const now = useNow(60_000);
  const of = `resource=${encodeURIComponent(resource)}&id=${subject}`;
  const earlier = useAnswer<Page>(`/events?${of}&before=${placed.position}&limit=${mostHistory / 2}`);
  const later = useAnswer<Page>(`/events?${of}&after=${placed.position}&limit=${mostHistory / 2}`);
  const [before] = earlier.data?.events ?? [];
  const previous = before?.event[resource] as Fields | undefined;
  const all = [...(earlier.data?.events ?? [])].reverse().concat(placed, later.data?.events ?? []);
  const name = resource.slice(0, 1).toUpperCase() + resource.slice(1);
  return (
    <>
      {earlier.data && <Change before={placed.event.type.endsWith(".created") ? undefined : previous} after={record} />}
      {all.length > 1 && <RecordHistory title={`${name} ${subject} before and after`} events={all} current={placed.event} now={now} />}
    </>
  );
}

/** The record is in the property that has the name of its resource, which is the first part of the type. */
function aboutOf(event: Placed["event"] | undefined): { resource: string; record: Fields | undefined; subject: number | undefined } {
  const resource = event?.type.split(".")[0] ?? "";
  const value = event?.[resource];
  const record = typeof value === "object" && value !== null ? (value as Fields) : undefined;
  return { resource, record, subject: typeof record?.["id"] === "number" ? record["id"] : undefined };
}

/** Asks again while a consumer has yet to handle the event. */
function useRenewed({ data, reload }: Answer<Timeline>): void {
  const isOpen = data?.broker.state === "pending" || data?.consumers.some(({ state }) => state === "waiting" || state === "retrying");
  useEffect(() => {
    if (!isOpen) return;
    const timer = setInterval(() => !document.hidden && reload(), renewEveryMs);
    return () => clearInterval(timer);
  }, [isOpen, reload]);
}

function curlOf(id: string): string {
  return `curl ${new URL(`../events/${id}/timeline`, location.href).href}`;
}
