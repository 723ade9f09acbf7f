import { useState } from "preact/hooks";
import { linkTo } from "../hash";
import { type Graph, type GraphNode, nearTo } from "./graph";
import { columns, columnWidth, type Layout, layoutOf, topOf } from "./layout";

/** The ways of events, in four columns. Pointing at something shows what has to do with it. */
export function Diagram({ graph, heads }: { graph: Graph; heads: readonly { readonly name: string; readonly about: string }[] }) {
  const layout = layoutOf(graph);
  const [at, setAt] = useState<string>();
  const near = at === undefined ? undefined : nearTo(graph, at);
  const consumers = graph.queues.flatMap((queue) => queue.consumers);
  return (
    <section class="panel topology" aria-label="The ways of events">
      <div class="heads">
        {heads.map(({ name, about }, column) => (
          <h2 key={name} style={{ left: `${columns[column]}%`, width: `${columnWidth}%` }}>
            {name} <span class="quiet">{about}</span>
          </h2>
        ))}
      </div>
      <div class="ways" style={{ height: `${layout.height}px` }}>
        <svg viewBox={`0 0 100 ${layout.height}`} preserveAspectRatio="none" aria-hidden="true">
          {layout.lines.map(({ from, to, path }) => (
            <path key={`${from}>${to}`} d={path} class={near && (near.has(from) && near.has(to) ? "near" : "far")} />
          ))}
        </svg>
        {[graph.resources, graph.exchanges, graph.queues, consumers].map((nodes, column) => (
          <ul key={heads[column]?.name} aria-label={heads[column]?.name}>
            {nodes.map((node) => (
              <Node key={node.id} node={node} layout={layout} isFar={near !== undefined && !near.has(node.id)} onPoint={setAt} />
            ))}
          </ul>
        ))}
        {graph.queues.map(({ id, arriving, leaving }) => (
          <Words key={id} id={id} arriving={arriving} leaving={leaving} layout={layout} />
        ))}
      </div>
    </section>
  );
}

interface NodeProps {
  readonly node: GraphNode;
  readonly layout: Layout;
  readonly isFar: boolean;
  readonly onPoint: (id: string | undefined) => void;
}

function Node({ node: { id, name, about, tone, link }, layout, isFar, onPoint }: NodeProps) {
  const place = layout.places.get(id);
  if (!place) return null;
  const content = (
    <>
      <b title={name}>{tone ? <span class={`state ${tone}`}>{name}</span> : name}</b>
      <small>{about}</small>
    </>
  );
  return (
    <li
      class={isFar ? "node far" : "node"}
      style={{ top: `${topOf(place)}px`, left: `${columns[place.column]}%`, width: `${columnWidth}%` }}
      onPointerEnter={() => onPoint(id)}
      onPointerLeave={() => onPoint(undefined)}
      onFocusCapture={() => onPoint(id)}
      onBlurCapture={() => onPoint(undefined)}
    >
      {link ? <a href={linkTo(link)}>{content}</a> : <div>{content}</div>}
    </li>
  );
}

/** The counts before and after a queue. */
function Words({ id, arriving, leaving, layout }: { id: string; arriving: string; leaving: string; layout: Layout }) {
  const place = layout.places.get(id);
  if (!place) return null;
  const top = `${place.middle}px`;
  return (
    <>
      {arriving && (
        <span class="arriving" style={{ top, right: `${100 - columns[2]}%` }}>
          {arriving}
        </span>
      )}
      {leaving && (
        <span class="leaving" style={{ top, left: `${columns[2] + columnWidth}%` }}>
          {leaving}
        </span>
      )}
    </>
  );
}
