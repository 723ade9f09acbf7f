import { type AnyElysia, Elysia } from "elysia";
import { type Dependencies, defineRoute } from "../routing/route";
import type { Resource, ResourceTypes } from "../schema/resource";
import { bulk } from "./operations/bulk";
import { create } from "./operations/create";
import { history } from "./operations/history";
import { list } from "./operations/list";
import { patch } from "./operations/patch";
import { read } from "./operations/read";
import { remove } from "./operations/remove";
import { replace } from "./operations/replace";
import { restore } from "./operations/restore";
import { schemasOf } from "./resource-schemas";
import { refuseRetired } from "./retired";

const operations = ["list", "create", "bulk", "read", "replace", "patch", "remove", "history", "restore"] as const;
/** An operation of {@link crud}. */
export type CrudOperation = (typeof operations)[number];

export interface CrudOptions<Chosen extends CrudOperation> {
  /** The operations to build. Other methods of their paths are answered with 405. Default: all. */
  readonly only?: readonly [Chosen, ...Chosen[]];
}

/**
 * Builds the HTTP routes of a resource: list, create (one or in bulk), read, replace, patch, remove, history and restore.
 * Every change of a record publishes an event: `<name>.created`, `<name>.updated` or `<name>.deleted`. An update that changes nothing
 * does not.
 *
 * Failed requests are answered with a problem (RFC 9457).
 *
 * @example
 * // routes/orders.ts
 * export default crud(order);
 * @throws {TypeError} if `only` names an unknown operation, or none, or the resource is retired.
 */
export function crud<T extends ResourceTypes, const Chosen extends CrudOperation = CrudOperation>(
  resource: Resource<T>,
  { only }: CrudOptions<Chosen> = {},
) {
  refuseRetired(resource, "crud");
  const chosen: readonly CrudOperation[] = only ?? operations;
  const unknown = chosen.filter((operation) => !operations.includes(operation));
  if (unknown.length > 0 || chosen.length === 0)
    throw new TypeError(`crud(${resource.name}): \`only\` must name some of ${operations.join(", ")}; it names "${unknown.join(", ")}".`);
  /** Returns the route of a chosen operation, and nothing for another. Its type says the same, for typed clients. */
  const ifChosen = <Name extends CrudOperation, App extends AnyElysia>(operation: Name, build: () => App) =>
    (chosen.includes(operation) ? build() : new Elysia()) as Name extends Chosen ? App : Elysia;

  return defineRoute(({ storeFor, log, catalogue }: Dependencies) => {
    const schemas = schemasOf(resource, catalogue);
    const parts = { resource, schemas, storeFor, log, catalogue };
    return new Elysia()
      .use(ifChosen("list", () => list(parts)))
      .use(ifChosen("create", () => create(parts)))
      .use(ifChosen("bulk", () => bulk(parts)))
      .use(ifChosen("read", () => read(parts)))
      .use(ifChosen("replace", () => replace(parts)))
      .use(ifChosen("patch", () => patch(parts)))
      .use(ifChosen("remove", () => remove(parts)))
      .use(ifChosen("history", () => history(parts)))
      .use(ifChosen("restore", () => restore(parts)));
  });
}
