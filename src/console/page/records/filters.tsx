import { go, linkTo } from "../hash";
import { Icon } from "../icons";
import { Pick } from "../pick";
import { TextFilter } from "../text-filter";
import { type Parameter, parametersOf, type Resource, sortsOf } from "./listing";

/** A search is sent when one stops typing for this long, in milliseconds. */
const pauseMs = 350;
/** The choice of a filter for records without a value. */
const none = "\u0000none";

/** Search, filters and order of a list, as far as its resource has them. They are part of the link. */
export function ListFilters({ resource, query }: { resource: Resource; query: URLSearchParams }) {
  const parameters = parametersOf(resource);
  const search = query.get("search") ?? "";
  const set = (change: Record<string, string>) => {
    // A cursor is for one list only.
    const { after: _, ...before } = Object.fromEntries(query);
    go(linkTo(["data", resource.name], { ...before, ...change }), { replace: true });
  };
  const [first, ...orders] = sortsOf(resource, search !== "");
  return (
    <search class="filters" aria-label="Filters">
      {resource.isSearchable && (
        <TextFilter
          class="field grow"
          type="search"
          placeholder="Words"
          value={search}
          pauseMs={pauseMs}
          onGive={(words) => set({ search: words, sort: "" })}
        >
          <Icon name="find" />
          <span class="hidden">Search for words</span>
        </TextFilter>
      )}
      {parameters.map((parameter) => (
        <One key={parameter.name} parameter={parameter} query={query} onChange={set} />
      ))}
      <TextFilter type="date" value={query.get("updatedSince") ?? ""} onGive={(updatedSince) => set({ updatedSince })}>
        Changed since
      </TextFilter>
      <Pick label="Order" value={query.get("sort") ?? ""} options={orders} any={first?.name ?? ""} onPick={(sort) => set({ sort })} />
      {[...query.keys()].some((key) => key !== "after" && key !== "sort") && (
        <button class="button bare" type="button" onClick={() => go(linkTo(["data", resource.name]), { replace: true })}>
          Clear
        </button>
      )}
    </search>
  );
}

interface OneProps {
  readonly parameter: Parameter;
  readonly query: URLSearchParams;
  readonly onChange: (change: Record<string, string>) => void;
}

function One({ parameter: { name, label, kind, words, nullName, isRepeated }, query, onChange }: OneProps) {
  const value = query.get(name) ?? "";
  const isNull = nullName !== undefined && query.get(nullName) === "true";
  if (kind === "words") {
    const options = [...words.map((word) => ({ value: word, name: word })), ...(nullName ? [{ value: none, name: "none" }] : [])];
    const pick = (next: string) =>
      onChange({ [name]: next === none ? "" : next, ...(nullName && { [nullName]: next === none ? "true" : "" }) });
    return <Pick label={label} value={isNull ? none : value} options={options} onPick={pick} />;
  }
  return (
    <>
      <TextFilter
        type={kind === "day" ? "date" : "text"}
        inputMode={kind === "number" && !isRepeated ? "decimal" : "text"}
        size={kind === "number" ? 6 : 12}
        placeholder="any"
        value={value}
        onGive={(text) => onChange({ [name]: text })}
      >
        {label}
      </TextFilter>
      {nullName && (
        <label class="field">
          <input
            type="checkbox"
            checked={isNull}
            onChange={(event) => onChange({ [nullName]: event.currentTarget.checked ? "true" : "" })}
          />
          no {label}
        </label>
      )}
    </>
  );
}
