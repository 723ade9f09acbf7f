import type { Latency, Status } from "../answers";
import { duration } from "../words";

const legs = [
  { key: "request", name: "Request" },
  { key: "commit", name: "Commit" },
  { key: "confirm", name: "Commit to confirmed" },
  { key: "delay", name: "Commit to handled" },
  { key: "handler", name: "Handler" },
] as const;

/** Bars go to this many milliseconds. */
const longestMs = 10_000;

/** How long the parts of the way take, half of the time and nearly always. */
export function Legs({ latency }: { latency: Status["latency"] }) {
  const known = legs.flatMap(({ key, name }) => {
    const measured = latency[key];
    return measured ? [{ name, measured }] : [];
  });
  return (
    <section class="panel" aria-labelledby="legs">
      <header>
        <h2 id="legs">How long it takes</h2>
        <span class="at-end">p50, p99</span>
      </header>
      <div class="body">
        {known.length === 0 && <p class="quiet">Nothing was measured in the last minute.</p>}
        <dl class="legs">
          {known.map(({ name, measured }) => (
            <Leg key={name} name={name} measured={measured} />
          ))}
        </dl>
        {known.length > 0 && <p class="legend quiet">Each bar goes to 10 s, on a logarithmic scale.</p>}
      </div>
    </section>
  );
}

function Leg({ name, measured: { p50, p99 } }: { name: string; measured: Latency }) {
  return (
    <div>
      <dt>
        <span>{name}</span>
        <span>
          <b>{duration(p50 * 1000)}</b> <small>{duration(p99 * 1000)}</small>
        </span>
      </dt>
      <dd>
        <svg aria-hidden="true">
          <rect class="ground" width="100%" height="6" rx="3" />
          <rect class="tail" width={share(p99)} height="6" rx="3" />
          <rect class="half" width={share(p50)} height="6" rx="3" />
        </svg>
      </dd>
    </div>
  );
}

function share(seconds: number): string {
  const part = Math.log10(1 + seconds * 1000) / Math.log10(1 + longestMs);
  return `${Math.round(Math.min(1, Math.max(0.02, part)) * 100)}%`;
}
