import { linkTo } from "../hash";
import { Json } from "../json";
import { fullTime } from "../words";
import type { Resource } from "./listing";

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
/** Characters of a value in a list. */
const mostInCell = 120;

interface ValueProps {
  readonly resource: Pick<Resource, "references">;
  readonly name: string;
  readonly value: unknown;
  /** True if there is room for all of it. */
  readonly isWhole?: boolean;
}

/** The value of a field. A reference leads to the record. */
export function Value({ resource, name, value, isWhole = false }: ValueProps) {
  if (value === undefined || value === null) return <span class="quiet">{isWhole ? String(value ?? null) : "–"}</span>;
  const to = resource.references.find(({ field }) => field === name)?.to;
  if (to !== undefined && typeof value === "number") {
    return (
      <a class="link" href={linkTo(["data", to, String(value)])}>
        {to} {value}
      </a>
    );
  }
  if (typeof value === "string" && time.test(value) && !Number.isNaN(Date.parse(value))) {
    const whole = fullTime(new Date(value));
    return (
      <time dateTime={value} title={whole}>
        {isWhole ? whole : whole.slice(0, 16)}
      </time>
    );
  }
  if (typeof value === "object") return isWhole ? <Json value={value} /> : <code class="soft">{cut(JSON.stringify(value))}</code>;
  return isWhole ? String(value) : cut(String(value));
}

function cut(text: string): string {
  return text.length > mostInCell ? `${text.slice(0, mostInCell)}…` : text;
}
