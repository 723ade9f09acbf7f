import { Elysia } from "elysia";
import { jsonResponse } from "../../http/answer-headers";
import { problems } from "../../http/problem";
import type { Filters } from "../../schema/filter";
import { describeList } from "../descriptions";
import { listOf } from "../listing";
import type { Parts } from "../parts";

/** `GET /`: one page of the records. */
export function list<Plural extends string, Fields extends object, By extends Filters>({
  resource,
  schemas,
  store,
}: Parts<Fields, Plural, string, By>) {
  const query = listOf(resource);
  return new Elysia().get(
    "",
    async ({ request, path }) => {
      const { listing, links } = query.read(request.url);
      const found = await store.list(resource, listing);
      const { next, link } = links(found, path);
      const text = `{"${resource.plural}":[${found.rows.map((row) => row.json).join(",")}],"next":${JSON.stringify(next)}}`;
      return jsonResponse(text, 200, { link }) as never;
    },
    {
      query: query.schema,
      response: { 200: schemas.page, ...problems(422, 503) },
      detail: describeList(resource),
    },
  );
}
