// Limits on the requests of a client, and the identity of a client.
import { afterEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { clientAddress, clientKey } from "../src/http/client-address";
import { limitRate } from "../src/http/rate-limit";
import { type ListeningApi, listeningApi } from "./support/raw";

describe("above RATE_LIMIT", () => {
  let api: ListeningApi;
  afterEach(() => api.close());
  const ask = (headers: Record<string, string> = {}) => fetch(`http://127.0.0.1:${api.port}/health/live`, { headers });

  test("429 with Retry-After; every answer says how much is left", async () => {
    api = listeningApi({ config: { rateLimit: 3 } });
    const answers = await Promise.all([1, 2, 3, 4].map(() => ask()));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 429]);
    for (const answer of answers) expect(answer.headers.get("ratelimit-policy")).toBe('"client";q=3;w=1');
    const refused = answers.find(({ status }) => status === 429) as Response;
    expect([refused.headers.get("retry-after"), refused.headers.get("ratelimit")]).toEqual(["1", '"client";r=0;t=1']);
    expect(await refused.json()).toEqual({
      type: "/problems/too-many-requests",
      title: "Too many requests",
      status: 429,
      detail: "Rate limit exceeded: at most 3 requests per second. Retry after the number of seconds in Retry-After.",
      requestId: refused.headers.get("x-request-id"),
    });
    const left = answers.filter(({ status }) => status === 200).map((answer) => answer.headers.get("ratelimit"));
    expect(left.sort()).toEqual(['"client";r=0;t=1', '"client";r=1;t=1', '"client";r=2;t=1']);
  });

  test("X-Forwarded-For is not believed unless TRUST_PROXY says so", async () => {
    api = listeningApi({ config: { rateLimit: 1 } });
    const [, second] = [await ask({ "x-forwarded-for": "192.0.2.1" }), await ask({ "x-forwarded-for": "192.0.2.2" })];
    expect(second.status).toBe(429);
    await api.close();
    api = listeningApi({ config: { rateLimit: 1, trustedProxies: 1 } });
    const statuses = [];
    for (const client of ["192.0.2.1", "192.0.2.2", "forged, 192.0.2.1", "192.0.2.3, 192.0.2.1"]) {
      statuses.push((await ask({ "x-forwarded-for": client })).status);
    }
    expect(statuses).toEqual([200, 200, 429, 429]);
  });

  test("no limit, no headers", async () => {
    api = listeningApi();
    const answer = await ask();
    expect([answer.headers.get("ratelimit"), answer.headers.get("ratelimit-policy")]).toEqual([null, null]);
  });
});

describe("clients are remembered up to a number", () => {
  const request = new Request("http://localhost/");

  test("a flooding client is refused for as long as it continues, and the others are served", () => {
    const limit = limitRate(1);
    const through = (client: string) => limit(request, client) === undefined;
    expect(through("192.0.2.1")).toBe(true);
    for (let n = 0; n < 20_000; n += 1) {
      through(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
      if (n % 5000 === 0) expect(through("192.0.2.1")).toBe(false);
    }
  });
});

describe("the address of a client", () => {
  const from = (forwarded: string | undefined, proxies: number) =>
    clientAddress(
      new Request("http://localhost/", { headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded } }),
      "10.0.0.1",
      proxies,
    );
  test.each([
    ["192.0.2.1", 0, "10.0.0.1"],
    ["192.0.2.1", 1, "192.0.2.1"],
    ["198.51.100.9, 192.0.2.1", 1, "192.0.2.1"],
    ["198.51.100.9, 192.0.2.1", 2, "198.51.100.9"],
    ["203.0.113.7,198.51.100.9 ,192.0.2.1", 2, "198.51.100.9"],
    // Fewer than there should be: not from where the proxies are.
    ["192.0.2.1", 3, "192.0.2.1"],
    ["192.0.2.1:4711", 1, "192.0.2.1"],
    ["[2001:db8::1]:4711", 1, "2001:db8::1"],
    ["2001:db8::1", 1, "2001:db8::1"],
    ["unknown", 1, "10.0.0.1"],
    ["192.0.2.1, ", 1, "10.0.0.1"],
    ["", 1, "10.0.0.1"],
    [undefined, 1, "10.0.0.1"],
  ])("X-Forwarded-For: %s behind %d", (forwarded, proxies, address) => {
    expect(from(forwarded, proxies)).toBe(address);
  });

  test("property: what a client writes before its proxies' own entries makes no difference", () => {
    const entry = fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[\w.:, -]{0,30}$/));
    fc.assert(
      fc.property(fc.array(entry), fc.array(fc.ipV4(), { minLength: 1, maxLength: 4 }), (forged, seen) => {
        expect(from([...forged, ...seen].join(", "), seen.length)).toBe(seen[0] as string);
      }),
    );
  });
});

describe("what tells clients apart", () => {
  test.each([
    [null, "unknown"],
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:DB8:1:2::9", "2001:db8:1:2"],
    ["2001:0db8:0001:0002::", "2001:db8:1:2"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    ["::", "0:0:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0"],
  ])("%s", (address, key) => {
    expect(clientKey(address)).toBe(key);
  });

  test("property: IPv6 addresses are one client if their first 64 bits are the same", () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    const half = fc.tuple(group, group, group, group);
    const written = (groups: readonly number[]) =>
      new URL(`http://[${groups.map((one) => one.toString(16)).join(":")}]`).hostname.slice(1, -1);
    fc.assert(
      fc.property(half, half, half, (network, one, other) => {
        // The mapped addresses of IPv4 are told apart by all of it.
        fc.pre(network.some((value) => value !== 0));
        expect(clientKey(written([...network, ...one]))).toBe(clientKey(written([...network, ...other])));
        expect(clientKey(written([...network, ...one]))).toBe(network.map((value) => value.toString(16)).join(":"));
      }),
    );
  });
});
