import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../icons";
import { Pick } from "../pick";
import { TextFilter } from "../text-filter";

export const periods = [
  { value: "1h", name: "in the last hour", ms: 3_600_000 },
  { value: "24h", name: "in the last day", ms: 86_400_000 },
  { value: "7d", name: "in the last week", ms: 604_800_000 },
] as const;

interface FiltersProps {
  readonly query: URLSearchParams;
  readonly reasons: readonly string[];
  readonly types: readonly string[];
  readonly onChange: (change: Record<string, string>) => void;
}

/** A search is sent when one stops typing for this long, in milliseconds. */
const pauseMs = 350;

export function Filters({ query, reasons, types, onChange }: FiltersProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key !== "/" || /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "")) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  return (
    <search class="filters" aria-label="Filters">
      <TextFilter
        class="field grow"
        type="search"
        placeholder="Error, record id or text in the event"
        value={query.get("search") ?? ""}
        pauseMs={pauseMs}
        onGive={(search) => onChange({ search })}
        inputRef={input}
        end={<kbd class="wide">/</kbd>}
      >
        <Icon name="find" />
        <span class="hidden">Search in error, record id and event</span>
      </TextFilter>
      <Pick label="Reason" value={query.get("reason") ?? ""} options={reasons} onPick={(reason) => onChange({ reason })} />
      <Pick label="Type" value={query.get("type") ?? ""} options={types} onPick={(type) => onChange({ type })} />
      <Pick label="Failed" value={query.get("since") ?? ""} options={periods} any="any time" onPick={(since) => onChange({ since })} />
    </search>
  );
}
