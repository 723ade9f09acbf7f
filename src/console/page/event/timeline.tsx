import { linkTo } from "../hash";
import { duration } from "../words";
import type { Lane, Lanes } from "./lanes";
import { type Scale, scaleFor } from "./scale";

/** The way of an event, a lane for each part, on one axis of time. */
export function TimelinePanel({ lanes: { lanes, longestMs }, id, hasRequest }: { lanes: Lanes; id: string; hasRequest: boolean }) {
  const scale = scaleFor(longestMs);
  const last = Math.max(...lanes.flatMap(({ points }) => points.filter(({ kind }) => kind !== "due").map(({ ms }) => ms)));
  return (
    <section class="panel" aria-labelledby="timeline">
      <header>
        <h2 id="timeline">Timeline</h2>
        <span class="at-end">
          {duration(last)} from {hasRequest ? "request" : "commit"} to the last step
        </span>
      </header>
      <ol class="timeline">
        <li class="lane scale" aria-hidden="true">
          <span />
          <svg class="track" height="16" aria-hidden="true">
            {scale.ticks.map(({ label, at, hasLabel }) =>
              hasLabel ? (
                <text key={label} x={percent(at)} y="11">
                  {label}
                </text>
              ) : null,
            )}
          </svg>
          <span />
        </li>
        {lanes.map((lane, index) => (
          <LaneRow key={lane.name} lane={lane} scale={scale} isFirst={index === 0} id={id} />
        ))}
      </ol>
    </section>
  );
}

function LaneRow({ lane, scale, isFirst, id }: { lane: Lane; scale: Scale; isFirst: boolean; id: string }) {
  const { name, about, fromMs, points, state, tone, end, deadIn } = lane;
  const shown = <span class={`state ${tone}`}>{state}</span>;
  const [head] = points;
  return (
    <li class={`lane ${isFirst ? "first" : ""}`}>
      <div class="name">
        <b>{name}</b>
        <small title={about}>{about}</small>
      </div>
      <svg class="track" role="img" aria-label={`${name}: ${labelOf(lane)}`}>
        {scale.ticks.map(({ label, at }) => (
          <line key={label} class="rule" x1={percent(at)} x2={percent(at)} y1="0" y2="100%" />
        ))}
        {fromMs !== undefined && head && (
          <Part kind="flow" from={fromMs} to={head.kind === "begun" ? (points[1]?.ms ?? 0) : head.ms} scale={scale} />
        )}
        {points.slice(1).map((point, index) => (
          <Part
            key={point.ms + point.kind}
            kind={points[index]?.kind === "begun" ? "flow" : "wait"}
            from={points[index]?.ms ?? 0}
            to={point.ms}
            scale={scale}
          />
        ))}
        {points.map(({ ms, kind, label }) => (
          <g key={`${ms} ${kind}`}>
            <circle class={kind} cx={percent(scale.at(ms))} cy="50%" r="5" />
            {label && points.length > 1 && (
              <text class={kind === "failed" || kind === "dead" ? "bad" : ""} x={percent(scale.at(ms))} y="12">
                {label}
              </text>
            )}
          </g>
        ))}
      </svg>
      <div class="end">
        {deadIn === undefined ? shown : <a href={linkTo(["dead-letters", deadIn], { open: id })}>{shown}</a>}
        <small>{end}</small>
      </div>
    </li>
  );
}

function Part({ kind, from, to, scale }: { kind: "flow" | "wait"; from: number; to: number; scale: Scale }) {
  return <line class={kind} x1={percent(scale.at(from))} x2={percent(scale.at(to))} y1="50%" y2="50%" />;
}

function labelOf({ points, state, end }: Lane): string {
  const failed = points.filter(({ kind }) => kind === "failed").map(({ ms }) => duration(ms));
  const before = failed.length > 0 ? `failed after ${failed.join(", ")}; ` : "";
  return `${before}${state} ${end}`.trim();
}

function percent(value: number): string {
  return `${Math.round(value * 100) / 100}%`;
}
