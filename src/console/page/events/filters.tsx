import type { Catalogue } from "../answers";
import { go, linkTo, type Place } from "../hash";
import { Pick } from "../pick";
import { TextFilter } from "../text-filter";
import { useAnswer } from "../use-answer";

/** Filters by type, resource and id. They are part of the link. */
export function Filters({ place: { query } }: { place: Place }) {
  const { data } = useAnswer<Catalogue>("/catalogue");
  const [type, resource, id] = ["type", "resource", "id"].map((name) => query.get(name) ?? "");
  const set = (change: Record<string, string>) => {
    const next = { type, resource, id, ...change };
    // The id is that of a record, and records of different resources can have the same.
    go(linkTo(["events"], { type: next.type, resource: next.resource, id: next.resource ? next.id : "" }), { replace: true });
  };
  const resources = data?.resources.map(({ name }) => name) ?? [];
  const types = data?.eventTypes.filter((one) => !resource || one.resource === resource).map((one) => one.type) ?? [];
  return (
    <search class="filters" aria-label="Filters">
      <Pick label="Type" value={type ?? ""} options={types} onPick={(value) => set({ type: value })} />
      <Pick label="Resource" value={resource ?? ""} options={resources} onPick={(value) => set({ resource: value, id: "", type: "" })} />
      {resource && (
        <TextFilter
          inputMode="numeric"
          size={8}
          value={id ?? ""}
          placeholder="any"
          onGive={(text) => set({ id: text.replaceAll(/\D/g, "") })}
        >
          Id
        </TextFilter>
      )}
      {(type || resource) && (
        <button class="button bare" type="button" onClick={() => go(linkTo(["events"]), { replace: true })}>
          Clear
        </button>
      )}
    </search>
  );
}
