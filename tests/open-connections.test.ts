// Limits on open connections and streams, from the limit on open files.
import { expect, test } from "bun:test";
import { refuseCrowd, streamLimit } from "../src/http/open-connections";

test.each([
  [256, 128],
  [1024, 512],
  [1_048_576, 5000],
  [Number.POSITIVE_INFINITY, 5000],
])("of %d open files streams may have %d", (files, streams) => {
  expect(streamLimit(files)).toBe(streams);
});

test("requests in hand have three quarters; more are 503, but for those who ask for the health", async () => {
  const refuse = refuseCrowd(100);
  const request = new Request("http://localhost/items");
  expect(refuse(request, "/items", { pendingRequests: 75 })).toBeUndefined();
  for (const path of ["/health/live", "/health/ready"]) expect(refuse(request, path, { pendingRequests: 100 })).toBeUndefined();
  for (const path of ["/items", "/healthy", "/metrics"]) {
    const answer = refuse(request, path, { pendingRequests: 76 });
    expect([answer?.status, answer?.headers.get("connection"), answer?.headers.get("retry-after")]).toEqual([503, "close", "1"]);
    expect(await answer?.json()).toMatchObject({ type: "/problems/unavailable" });
  }
  expect(refuse(request, "/items", null)).toBeUndefined();
});
