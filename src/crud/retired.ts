import type { Resource } from "../schema/resource";

/**
 * Refuses routes of a retired resource.
 *
 * @throws {TypeError} if it is retired.
 */
export function refuseRetired({ name, isRetired }: Resource, builder: "crud" | "action"): void {
  if (isRetired) throw new TypeError(`The resource "${name}" is retired, so it has no routes. Remove the file with ${builder}(${name}).`);
}
