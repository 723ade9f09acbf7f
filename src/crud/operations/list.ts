import { Elysia } from "elysia";
import { jsonResponse } from "../../http/answer-headers";
import { problems } from "../../http/problem";
import type { ResourceTypes } from "../../schema/resource";
import { describeList, openTo } from "../descriptions";
import { expand } from "../expand";
import { listOf } from "../listing";
import type { Parts } from "../parts";

/** `GET /`: one page of the records. */
export function list<T extends ResourceTypes>({ resource, schemas, storeFor, catalogue }: Parts<T>) {
  const query = listOf(resource);
  return new Elysia().get(
    "",
    async ({ request, path }) => {
      const { listing, links, expand: paths } = query.read(request.url);
      const store = storeFor(request);
      const found = await store.list(resource, listing);
      const records = await expand(store, catalogue, resource, found.rows, paths);
      const { next, link } = links(found, path);
      const count = found.count ? `,"count":${JSON.stringify(found.count)}` : "";
      const text = `{"${resource.plural}":[${records.join(",")}],"next":${JSON.stringify(next)}${count}}`;
      return jsonResponse(text, 200, { link }) as never;
    },
    {
      query: query.schema,
      response: { 200: schemas.page, ...problems(422, 503) },
      detail: { ...describeList(resource), ...openTo(resource) },
    },
  );
}
