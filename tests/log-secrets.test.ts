// Whatever an error message has in it, no secret reaches the log.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { withoutSecrets } from "../src/observe/secrets";

const redact = withoutSecrets(["a-token-of-the-api", 'with "quotes"']);

test.each([
  ["connect amqp://user:p%40ss@broker:5672/v", "connect amqp://***@broker:5672/v"],
  ["two: https://a:b@c/ and postgres://x@y/z", "two: https://***@c/ and postgres://***@y/z"],
  ["Authorization: Bearer abc.DEF-123_~+/==", "Authorization: Bearer ***"],
  ["the token a-token-of-the-api, and a-token-of-the-api again", "the token ***, and *** again"],
  ['it says with "quotes"!', "it says ***!"],
  ["mail to ada@example.com, see https://example.com/ada", "mail to ada@example.com, see https://example.com/ada"],
  ["the bearer of bad news", "the bearer of bad news"],
  [
    "amqps://u:p@host:5671/v?password=hunter2 refused, twice (https://x/y?token=t).",
    "amqps://***@host:5671/v?*** refused, twice (https://x/y?***).",
  ],
  ["no URL: ://a@b, and c://", "no URL: ://a@b, and c://"],
])("%s", (message, expected) => {
  expect(JSON.parse(redact(JSON.stringify({ error: message })))).toEqual({ error: expected });
});

const half = 250_000;
test.each([
  ["letters", "x".repeat(half)],
  ["marks of URLs", "amqp://".repeat(half / 7)],
  ["URLs", "https://a ".repeat(half / 10)],
  ["marks and @", "a://@".repeat(half / 5)],
  ["escapes", '\\"'.repeat(half / 2)],
  ["spaces", `bearer${" ".repeat(half)}`],
  ["words that begin like one", "basic ".repeat(half / 6)],
])("a line of half a million characters hides them as well: %s", (_, filler) => {
  const secrets = ["hidden-password", "hidden-in-a-query", "hidden.credentials", "whsec_hidden", "a-token-of-the-api"];
  const text = `amqp://user:${secrets[0]}@host/?a=${secrets[1]} Bearer ${secrets[2]} ${secrets[3]} ${secrets[4]}`;
  const written = redact(JSON.stringify({ error: `${filler} ${text} ${filler}`, text }));
  expect(secrets.filter((secret) => written.includes(secret))).toEqual([]);
  expect(JSON.parse(written).text).toBe("amqp://***@host/?*** Bearer *** whsec_*** ***");
});

test.each(["json", "pretty"])("a log in the format %s writes none", async (format) => {
  const script = `import { createLog } from "./src/observe/logging";
    createLog({ level: "info", format: "${format}", stream: 1, secrets: ["a-token-of-the-api"] })
      .error({ error: "a-token-of-the-api", url: "amqp://u:pass@host" }, "It failed with a-token-of-the-api");`;
  const child = Bun.spawn([process.execPath, "-e", script], { cwd: join(import.meta.dir, ".."), stdout: "pipe" });
  const said = await child.stdout.text();
  expect(said).toContain("It failed with ***");
  expect(said).toContain("amqp://***@host");
  expect(said).not.toMatch(/a-token-of-the-api|pass/);
});
