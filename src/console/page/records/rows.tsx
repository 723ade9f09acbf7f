import { linkTo } from "../hash";
import { Time } from "../parts";
import type { Fields } from "./drafts";
import { columnsOf, type Resource } from "./listing";
import { Value } from "./value";

/** Records as rows of a table. On a narrow screen, each is a card. */
export function RecordRows({ resource, records }: { resource: Resource; records: readonly Fields[] }) {
  const columns = columnsOf(resource);
  const isNumber = (name: string) =>
    records.some((record) => typeof record[name] === "number") && !resource.references.some(({ field }) => field === name);
  // The column with the name of a record takes the room that is left, or else the first text.
  const wide =
    columns.find((name) => name === "name" || name === "title") ??
    columns.find((name) => records.some((record) => typeof record[name] === "string")) ??
    columns.find((name) => !isNumber(name));
  return (
    <table class="records">
      <thead>
        <tr>
          <th scope="col">Id</th>
          {columns.map((name) => (
            <th key={name} scope="col" class={isNumber(name) ? "number" : undefined}>
              {name}
            </th>
          ))}
          <th scope="col" class="number">
            Changed
          </th>
        </tr>
      </thead>
      <tbody>
        {records.map((record) => (
          <tr key={String(record["id"])}>
            <td class="name">
              <a class="mono" href={linkTo(["data", resource.name, String(record["id"])])} aria-label={`${resource.name} ${record["id"]}`}>
                {String(record["id"])}
              </a>
            </td>
            {columns.map((name) => (
              <td key={name} class={name === wide ? "fill note" : isNumber(name) ? "number" : "cut"} data-label={name}>
                <Value resource={resource} name={name} value={record[name]} />
              </td>
            ))}
            <td class="number when soft" data-label="Changed">
              {typeof record["updatedAt"] === "string" && <Time at={record["updatedAt"]} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
