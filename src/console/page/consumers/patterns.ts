import type { Topology } from "../answers";

/** Returns event types as few patterns: `item.*` for all of a resource, and `#` for all of several resources. */
export function patternsOf(types: readonly string[], resources: Topology["resources"]): string[] {
  const whole = resources.filter((resource) => resource.types.every((type) => types.includes(type))).map(({ name }) => `${name}.`);
  const others = types.filter((type) => !whole.some((prefix) => type.startsWith(prefix)));
  if (whole.length > 1 && whole.length === resources.length && others.length === 0) return ["#"];
  return [...whole.map((prefix) => `${prefix}*`), ...others];
}
