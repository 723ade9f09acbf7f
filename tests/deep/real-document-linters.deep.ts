// The documents, as Redocly sees them: the linter that people run on the documents of the services they use. AsyncAPI's own parser,
// with the rules of Spectral, reads its document in asyncapi-document.test.ts.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { configurations, documentAt } from "../support/documents";

// The linter takes its time on a busy machine.
setDefaultTimeout(60_000);

const documents = [
  ...configurations.map(([name, config]) => ["/swagger/json", name, config] as const),
  // The same in every configuration.
  ["/asyncapi.json", "", {}] as const,
];

async function problems(source: string): Promise<string[]> {
  const found = await lintFromString({ source, config: await createConfig({ extends: ["recommended"] }) });
  return found.map(({ ruleId, message, location }) => `${ruleId} ${location[0]?.pointer}: ${message}`);
}

describe.each(documents)("%s %s", (path, _, config) => {
  test("Redocly has nothing to say", async () => {
    expect(await problems(await documentAt(path, config))).toEqual([]);
  });
});

test.each([
  ["/swagger/json", '"required":true', '"required":"yes"', "struct"],
  ["/swagger/json", "#/components/schemas/Item", "#/nowhere", "no-unresolved-refs"],
  ["/asyncapi.json", '"action":"send"', '"action":"shout"', "struct"],
] as const)("the linter sees what is wrong: %s with %j as %j", async (path, good, bad, rule) => {
  const text = await documentAt(path);
  expect(text).toContain(good);
  expect(await problems(text.replace(good, bad))).toContainEqual(expect.stringContaining(rule));
});
