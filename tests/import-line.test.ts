// A line of an import, as far as it is not the body of a request.
import { expect, test } from "bun:test";
import { importedLine } from "../src/crud/import-line";
import { item } from "../src/domain/item";
import { HttpProblem } from "../src/http/problem";

const read = importedLine(item);
const line = (id: number) => Buffer.from(`{"id":${id},"name":"a"}`);

test("has an id that leaves ids for new records", () => {
  expect(read(line(998_999_999_999_999)).id).toBe(998_999_999_999_999);
  for (const id of [0, 999_000_000_000_000, 999_999_999_999_999, Number.MAX_SAFE_INTEGER])
    expect(() => read(line(id))).toThrow(HttpProblem);
});
