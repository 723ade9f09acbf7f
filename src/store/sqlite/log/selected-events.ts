import type { VisibleEvents } from "../../log";

/** Maximum number of rows that one scan searches, to bound how long it blocks the event loop. */
export const maxRows = 10_000;

/** Condition on the types of events. */
export const wanted = "($types IS NULL OR type IN (SELECT value FROM json_each($types)))";

/** Returns a function that returns the statement for a number of {@link VisibleEvents}, prepared once. */
export function byVisibility<T>(prepare: (condition: string) => T): (visible: readonly VisibleEvents[] | undefined) => T {
  const prepared = new Map<number, T>();
  return (visible) => {
    const count = visible?.length ?? -1;
    const known = prepared.get(count) ?? prepare(conditionFor(visible));
    prepared.set(count, known);
    return known;
  };
}

function conditionFor(visible: readonly VisibleEvents[] | undefined): string {
  const groups = visible?.map(
    (_, index) =>
      `(type IN (SELECT value FROM json_each($types${index})) AND ($owner${index} IS NULL OR owner = $owner${index})
        AND ($scope${index} IS NULL OR scope = $scope${index}))`,
  );
  return groups ? `(${groups.join(" OR ") || "FALSE"})` : "TRUE";
}

export function bindingsOf(visible: readonly VisibleEvents[] = []): Record<string, string | null> {
  const bindings: Record<string, string | null> = {};
  for (const [index, { types, owner = null, scope = null }] of visible.entries()) {
    bindings[`types${index}`] = JSON.stringify(types);
    bindings[`owner${index}`] = owner;
    bindings[`scope${index}`] = scope;
  }
  return bindings;
}
