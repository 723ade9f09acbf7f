import type { ComponentChildren } from "preact";
import type { Setting, Settings, Status } from "../answers";
import { Time } from "../parts";
import { bytes, counted, duration, number } from "../words";

interface Fact {
  readonly name: string;
  readonly value: ComponentChildren;
}

function Facts({ title, facts }: { title: string; facts: readonly (Fact | false)[] }) {
  const id = title.toLowerCase().replaceAll(" ", "-");
  return (
    <section class="panel" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
      </header>
      <div class="body">
        <dl class="facts">
          {facts
            .filter((fact) => fact !== false)
            .map(({ name, value }) => [
              <dt key={`${name} name`}>{name}</dt>,
              <dd key={name} class="whole">
                {value}
              </dd>,
            ])}
        </dl>
      </div>
    </section>
  );
}

/** How events reach consumers. */
export function TransportFacts({ status: { transport, broker, relay, queues, timers, schedules } }: { status: Status }) {
  const isConnected = broker?.state === "connected";
  return (
    <Facts
      title="Transport"
      facts={[
        { name: "Events go", value: transport.name === "embedded" ? "from the log to consumers" : "over RabbitMQ" },
        { name: "Because", value: transport.reason },
        broker !== null && { name: "RabbitMQ", value: <span class="mono">{broker.url}</span> },
        broker !== null && {
          name: "Connection",
          value: (
            <span class={`state ${isConnected ? "good" : "bad"}`}>
              {broker.state}
              {broker.node !== null && ` to ${broker.node}`}
            </span>
          ),
        },
        broker?.error != null && { name: "Error", value: broker.error },
        relay !== null && { name: "Confirmed", value: `to position ${number(relay.confirmed)}` },
        relay !== null && {
          name: "Not yet",
          value:
            relay.events === 0 ? "nothing waits" : `${counted(relay.events, "event")}, the oldest for ${duration(relay.ageSeconds * 1000)}`,
        },
        { name: "Queues", value: queues === null ? "not known now" : number(queues.length) },
        { name: "Schedules", value: number(schedules.length) },
        timers !== null && { name: "For later", value: counted(timers.waiting, "event") },
      ]}
    />
  );
}

/** Where records and events are. */
export function StoreFacts({ status: { database, log, here }, settings }: { status: Status; settings: readonly Setting[] | undefined }) {
  const inEffect = (name: string) => settings?.find((setting) => setting.name === name)?.value;
  const retention = inEffect("EVENT_RETENTION");
  const folder = inEffect("DATA_DIR");
  return (
    <Facts
      title="Store"
      facts={[
        { name: "Engine", value: here.databaseBytes === null ? "PostgreSQL" : "SQLite" },
        { name: "Database", value: <span class="mono">{database}</span> },
        here.databaseBytes !== null && { name: "Size", value: bytes(here.databaseBytes) },
        { name: "Log", value: log ? counted(log.events, "event") : "not there yet" },
        retention != null && { name: "Kept", value: retention === "forever" ? "forever" : `for ${retention}, once all consumers have it` },
        folder != null && { name: "Data folder", value: <span class="mono">{folder}</span> },
      ]}
    />
  );
}

/** The process that answers, the others, and their versions. */
export function ProcessFacts({ status: { here, api }, versions }: { status: Status; versions: Settings["versions"] | undefined }) {
  const others = api.processes?.filter(({ host, pid }) => host !== here.host || pid !== here.pid) ?? [];
  const leads = api.processes?.find(({ host, pid }) => host === here.host && pid === here.pid)?.leads ?? [];
  return (
    <Facts
      title="Process"
      facts={[
        { name: "This one", value: `${here.host}, ${here.pid}` },
        { name: "Started", value: <Time at={here.startedAt} /> },
        { name: "Memory", value: bytes(here.memoryBytes) },
        leads.length > 0 && { name: "Does for all", value: leads.join(", ") },
        ...others.map(({ host, pid, leads: tasks }) => ({
          name: "Also serves",
          value: `${host}, ${pid}${tasks.length > 0 ? `: ${tasks.join(", ")}` : ""}`,
        })),
        { name: "Project", value: versions === undefined ? here.version : `${versions.title} ${here.version}` },
        versions !== undefined && { name: "Warren", value: `${versions.warren}${versions.executable ? ", an executable" : ""}` },
        versions !== undefined && { name: "Bun", value: `${versions.bun} on ${versions.system}` },
      ]}
    />
  );
}
