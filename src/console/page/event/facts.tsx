import type { Event, Placed, RelatedEvent, Timeline } from "../answers";
import { linkTo } from "../hash";
import { Copy } from "../parts";
import { day, fullTime, number } from "../words";

interface FactsProps {
  readonly placed: Placed;
  readonly resource: string;
  readonly subject: number | undefined;
  /** Undefined for a session that may not see it. */
  readonly timeline: Timeline | undefined;
}

export function Facts({ placed: { event, position }, resource, subject, timeline }: FactsProps) {
  return (
    <section class="panel" aria-label="Facts">
      <div class="body">
        <dl class="facts">
          <dt>Event</dt>
          <dd class="mono">
            {event.id.slice(0, 8)}…{event.id.slice(-8)} <Copy text={event.id} label="Copy the id" quiet />
          </dd>
          {subject !== undefined && (
            <>
              <dt>Record</dt>
              <dd>
                <a class="link" href={linkTo(["events"], { resource, id: String(subject) })}>
                  {resource} {subject}
                </a>
              </dd>
            </>
          )}
          <dt>Position</dt>
          <dd>{number(position)}</dd>
          <dt>Schema</dt>
          <dd>
            <a class="link" href={linkTo(["contracts", event.type], { version: String(event.version) })}>
              {event.type} v{event.version}
            </a>
          </dd>
          <Fact name="Actor" value={event.actor} />
          <Fact name="Request" value={timeline?.request.id} isCode />
          <Fact name="Trace" value={timeline?.traceparent?.split("-")[1]} isCode />
          <Related name="Caused by" events={timeline?.causes ?? []} />
          <Related name="Caused" events={timeline?.caused ?? []} />
        </dl>
      </div>
    </section>
  );
}

function Fact({ name, value, isCode }: { name: string; value: string | null | undefined; isCode?: boolean }) {
  if (!value) return null;
  return (
    <>
      <dt>{name}</dt>
      <dd class={isCode ? "mono" : undefined} title={value}>
        {value}
      </dd>
    </>
  );
}

function Related({ name, events }: { name: string; events: readonly RelatedEvent[] }) {
  if (events.length === 0) return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <ul>
          {events.map(({ id, type, subject }) => (
            <li key={id}>
              <a class="link" href={linkTo(["events", id])}>
                {type} {subject}
              </a>
            </li>
          ))}
        </ul>
      </dd>
    </>
  );
}

/** The other events of the same record, and where this one is among them. */
export function RecordHistory({ title, events, current, now }: { title: string; events: readonly Placed[]; current: Event; now: number }) {
  return (
    <section class="panel" aria-labelledby="history">
      <header>
        <h2 id="history">{title}</h2>
      </header>
      <div class="body">
        <dl class="facts">
          {events.map(({ event }) => {
            const change = event.type.split(".").slice(1).join(".");
            const at = new Date(event.timestamp);
            const time = (
              <time dateTime={event.timestamp} title={fullTime(at)}>
                {day(at, now)}
              </time>
            );
            const isThis = event.id === current.id;
            return [
              <dt key={`${event.id} what`} class="type">
                {isThis ? <b>{change}</b> : change}
              </dt>,
              <dd key={event.id}>
                {isThis ? (
                  <b>This event</b>
                ) : (
                  <a class="link" href={linkTo(["events", event.id])}>
                    {time}
                  </a>
                )}
              </dd>,
            ];
          })}
        </dl>
      </div>
    </section>
  );
}
