import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { mistakeText } from "../src/schema/mistakes";
import { describeSubscription, parseSubscriptions, type Subscription, SubscriptionsError } from "../src/webhook/subscriptions";
import { root } from "./support/processes";
import { newSecret } from "./support/receiver";
import { catalogue } from "./support/resources";

const secret = newSecret();
const crm = { name: "crm", url: "https://crm.example.com/hooks?key=path-secret", events: ["item.*"], secret };

function parse(...subscriptions: unknown[]): Subscription[] {
  return parseSubscriptions(JSON.stringify({ subscriptions }), "webhooks.json", catalogue);
}

/** The mistakes that one entry has, without the place where that entry is. */
function mistakesOf(change: Record<string, unknown>): string[] {
  return mistakesIn(() => parse({ ...crm, ...change })).map((line) => line.replace("/subscriptions/0/", ""));
}

function mistakesIn(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof SubscriptionsError) return error.mistakes.map(mistakeText);
    throw error;
  }
  return [];
}

describe("a subscription", () => {
  test("needs a name, a URL, events and a secret; the rest has defaults", () => {
    const [subscription] = parse(crm);
    expect(subscription).toMatchObject({
      name: "crm",
      events: ["item.*"],
      secrets: [secret],
      timeoutMs: 15_000,
      concurrency: 8,
      ratePerSecond: null,
      retry: { attempts: 11, firstDelayMs: 5000, factor: 4, longestDelayMs: 43_200_000 },
      startFrom: "now",
    });
    expect(subscription?.url.href).toBe(crm.url);
  });

  test("may set everything", () => {
    const retry = { attempts: 3, firstDelayMs: 100, factor: 1, longestDelayMs: 100 };
    const others = { timeoutMs: 5000, concurrency: 1, ratePerSecond: 10, retry, startFrom: "2026-11-01", allowNetworks: ["10.0.0.0/8"] };
    const old = newSecret();
    const [subscription] = parse({ ...crm, ...others, url: "http://10.1.2.3:8080/", secret: [secret, old] });
    expect(subscription).toMatchObject({ timeoutMs: 5000, concurrency: 1, ratePerSecond: 10, retry, startFrom: new Date("2026-11-01") });
    expect(subscription?.secrets).toEqual([secret, old]);
  });

  test("its entry has a fingerprint that any change changes, and that does not tell the secret", () => {
    const [one, same, other] = [crm, { ...crm }, { ...crm, secret: newSecret() }].map((entry) => parse(entry)[0]?.entry);
    expect(one).toBe(same as string);
    expect(one).not.toBe(other as string);
    expect(one).toMatch(/^[0-9a-f]{64}$/);
  });

  test("is described without what its URL may keep secret", () => {
    expect(parse(crm).map(describeSubscription)).toEqual(["crm: item.* to https://crm.example.com"]);
  });
});

describe("a mistake says what would be right", () => {
  const cases: [string, Record<string, unknown>, string][] = [
    ["no name", { name: undefined }, "name: At most 60 lower-case letters"],
    ["a name that cannot be in a queue's", { name: "CRM.dead" }, "name: At most 60 lower-case letters"],
    ["no URL", { url: undefined }, "url: An absolute URL"],
    ["text that is no URL", { url: "crm.example.com/hooks" }, "url: An absolute URL"],
    ["another protocol", { url: "ftp://crm.example.com/" }, "url: An absolute URL with https:// (or http://)"],
    ["user and password in the URL", { url: "https://ada:secret@crm.example.com/" }, "url: Remove the user and password"],
    ["a user in the URL", { url: "https://ada@crm.example.com/" }, "url: Remove the user and password"],
    ["a private address", { url: "http://10.1.2.3/" }, "url: 10.1.2.3 is not on the internet"],
    ["loopback as one number", { url: "http://2130706433/" }, "url: 127.0.0.1 is not on the internet"],
    ["loopback in hexadecimal", { url: "http://0x7f.1/" }, "url: 127.0.0.1 is not on the internet"],
    ["loopback as a mapped IPv6 address", { url: "http://[::ffff:127.0.0.1]/" }, "url: ::ffff:7f00:1 is not on the internet"],
    ["no events", { events: undefined }, "events: A list of event types"],
    ["an empty list of events", { events: [] }, "events: A list of event types"],
    ["events that are text", { events: "item.*" }, "events: A list of event types"],
    ["an unknown event type", { events: ["item.crated"] }, 'events: Unknown event type "item.crated". Known: item.created'],
    ["no secret", { secret: undefined }, "secret: whsec_ and 24 to 64 random bytes in base64"],
    ["a secret without its prefix", { secret: secret.slice(6) }, "secret: whsec_"],
    ["a secret that is too short", { secret: `whsec_${Buffer.alloc(23).toString("base64")}` }, "secret: whsec_"],
    ["a secret that is too long", { secret: `whsec_${Buffer.alloc(65).toString("base64")}` }, "secret: whsec_"],
    ["a secret that is no base64", { secret: `whsec_${"?".repeat(40)}` }, "secret: whsec_"],
    ["a good secret beside a bad one", { secret: [secret, "old"] }, "secret/1: whsec_"],
    ["no secrets", { secret: [] }, "secret: whsec_"],
    ["networks that are none", { allowNetworks: ["10.0.0.0/33"] }, 'allowNetworks: "10.0.0.0/33" is not a network such as 10.0.0.0/8'],
    ["a network that is no list", { allowNetworks: "10.0.0.0/8" }, "allowNetworks: A list of networks, such as"],
    ["a time limit of 0", { timeoutMs: 0 }, "timeoutMs: A whole number of milliseconds from 100 to 120000"],
    ["a time limit in words", { timeoutMs: "5 s" }, "timeoutMs: A whole number of milliseconds"],
    ["too many at the same time", { concurrency: 1000 }, "concurrency: A whole number of concurrent deliveries from 1 to 100"],
    ["a rate of 0", { ratePerSecond: 0 }, "ratePerSecond: A whole number of deliveries per second from 1"],
    ["no attempts", { retry: { attempts: 0 } }, "retry: retry.attempts is 0; use a whole number from 1 to 1000."],
    ["a delay in words", { retry: { firstDelayMs: "1 s" } }, "retry/firstDelayMs: Expected number"],
    [
      "a misspelt retry",
      { retry: { atempts: 3 } },
      "retry/atempts: An object with only these fields: attempts, firstDelayMs, factor, longestDelayMs.",
    ],
    ["a retry that is a number", { retry: 3 }, "retry: An object with only these fields: attempts, "],
    ...["yesterday", "2026-02-30", "2026-02-28 junk", "2026-11-01T25:00:00Z", 20261101, ""].map((startFrom): (typeof cases)[number] => [
      `a start that is no date: ${startFrom}`,
      { startFrom },
      'startFrom: "now", "beginning", or a day or time such as "2026-11-01" or "2026-11-01T08:00:00Z"',
    ]),
    [
      "a misspelt field",
      { timeoutMS: 5000 },
      "timeoutMS: An object with only these fields: name, url, events, secret, allowNetworks, timeoutMs,",
    ],
  ];
  for (const [what, change, expected] of cases) {
    test(what, () => {
      const mistakes = mistakesOf(change);
      expect(mistakes).toHaveLength(1);
      expect(mistakes[0]).toStartWith(expected);
    });
  }

  test("two of the same name", () => {
    expect(mistakesIn(() => parse(crm, { ...crm, name: "search" }, crm))).toEqual([
      '/subscriptions/2/name: Use another name; "crm" is already used.',
    ]);
  });

  test("a file that is something else", () => {
    const read = (text: string) => mistakesIn(() => parseSubscriptions(text, "webhooks.json", catalogue));
    expect(read("[]")).toEqual(["An object with only these fields: subscriptions."]);
    expect(read('{"subscriptions": []}')).toEqual(["/subscriptions: A list with one entry per subscriber."]);
    expect(read('{"subscriptions": [7], "secret": 1}')).toContain(
      "/subscriptions/0: An object with only these fields: name, url, events, secret, allowNetworks, timeoutMs, concurrency, ratePerSecond, retry, startFrom.",
    );
    expect(read("")).toEqual(["not valid JSON: JSON Parse error: Unexpected EOF"]);
  });

  test("all of them at once", () => {
    const read = () => parse({ ...crm, name: "", url: "no", timeoutMs: 0 }, { ...crm, secret: "x", events: [] });
    expect(mistakesIn(read).map((line) => line.split(":")[0])).toEqual([
      "/subscriptions/0/name",
      "/subscriptions/0/url",
      "/subscriptions/0/timeoutMs",
      "/subscriptions/1/events",
      "/subscriptions/1/secret",
    ]);
    expect(read).toThrow("webhooks.json has 5 mistakes:\n  - /subscriptions/0/name: At most 60 lower-case");
  });
});

describe("no message shows a secret", () => {
  const messageOf = (text: string) => {
    try {
      parseSubscriptions(text, "webhooks.json", catalogue);
      return "";
    } catch (error) {
      return String(error);
    }
  };
  const short = "whsec_c2hvcnQ=";
  test.each([
    ["a bad secret", JSON.stringify({ subscriptions: [{ ...crm, secret: short }] })],
    [
      "a secret in another field",
      JSON.stringify({ subscriptions: [{ ...crm, name: short, events: [short], startFrom: short, [short]: 1 }] }),
    ],
    ["a secret without quotation marks", `{"subscriptions": [{"secret": ${short}}]}`],
    ["a secret whose quotation marks do not end", `{"subscriptions": [{"secret": "${short}}]}`],
    ["a password in the URL", JSON.stringify({ subscriptions: [{ ...crm, url: `https://ada:${short}@example.com` }] })],
    ["a secret in the path of a URL that is wrong", JSON.stringify({ subscriptions: [{ ...crm, url: `http://127.0.0.1/${short}` }] })],
  ])("%s", (_, text) => {
    const message = messageOf(text);
    expect(message).toContain("webhooks.json has");
    expect(message).not.toContain("c2hvcnQ");
  });
});

test("the example lacks nothing but its secrets", async () => {
  const text = await Bun.file(join(root, "deploy/webhooks.example.json")).text();
  const mistakes = mistakesIn(() => parseSubscriptions(text, "deploy/webhooks.example.json", catalogue));
  expect(mistakes.map((line) => line.split(":")[0])).toEqual(["/subscriptions/0/secret", "/subscriptions/1/secret"]);
  const filled = JSON.parse(text, (key, value) => (key === "secret" ? secret : value)) as unknown;
  expect(parseSubscriptions(JSON.stringify(filled), "webhooks.json", catalogue).map(({ name }) => name)).toEqual(["crm", "search"]);
});

describe("the text of the file", () => {
  const text = JSON.stringify({ subscriptions: [crm] });

  test("may begin with a byte order mark", () => {
    expect(parseSubscriptions(`\uFEFF${text}`, "webhooks.json", catalogue)).toHaveLength(1);
  });

  test("has no key twice, and no number that would be rounded", () => {
    const twice = text.replace('"name":', '"timeoutMs":9007199254740993,"events":["#"],"name":');
    expect(mistakesIn(() => parseSubscriptions(twice, "webhooks.json", catalogue))).toEqual([
      "/subscriptions/0/timeoutMs: Expected number between -9007199254740991 and 9007199254740991",
      "/subscriptions/0/events: Expected once",
    ]);
  });
});
