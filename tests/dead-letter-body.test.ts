// A dead letter's body is shown as it is: whoever looks for its cause must not see another number than the one that was sent.
import { expect, test } from "bun:test";
import { shownBody } from "../src/delivery/dead-letters";

const shown = (body: string) => shownBody(Buffer.from(body));

test("a body in JSON is shown as JSON", () => {
  expect(shown('{"item":{"id":738529527931269}}')).toEqual({
    body: { item: { id: 738529527931269 } },
    bodyEncoding: "json",
    bodyBytes: 31,
  });
});

test.each([
  '{"item":{"id":738529527931269425}}',
  '{"item":{"price":0.1000000000000000055}}',
  '{"item":{"id":1,"id":2}}',
  `${"[".repeat(2000)}${"]".repeat(2000)}`,
  "half a {",
])("what JSON would not show as it is, is shown as text: %s", (body) => {
  expect(shown(body)).toEqual({ body, bodyEncoding: "text", bodyBytes: body.length });
});
