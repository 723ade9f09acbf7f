import { Elysia } from "elysia";
import { type Dependencies, defineRoute } from "../routing/route";
import type { Resource, ResourceTypes } from "../schema/resource";
import { bulk } from "./operations/bulk";
import { create } from "./operations/create";
import { list } from "./operations/list";
import { patch } from "./operations/patch";
import { read } from "./operations/read";
import { remove } from "./operations/remove";
import { replace } from "./operations/replace";
import { schemasOf } from "./resource-schemas";

/**
 * Builds the HTTP routes of a resource: list, create (one or in bulk), read, replace, patch and delete. Every change of a
 * record publishes an event: `<name>.created`, `<name>.updated` or `<name>.deleted`. An update that changes nothing does not.
 *
 * Failed requests are answered with a problem (RFC 9457).
 *
 * @example
 * // routes/orders.ts
 * export default crud(order);
 */
export function crud<T extends ResourceTypes>(resource: Resource<T>) {
  const schemas = schemasOf(resource);
  return defineRoute(({ storeFor, log }: Dependencies) => {
    const parts = { resource, schemas, storeFor, log };
    return new Elysia()
      .use(list(parts))
      .use(create(parts))
      .use(bulk(parts))
      .use(read(parts))
      .use(replace(parts))
      .use(patch(parts))
      .use(remove(parts));
  });
}
