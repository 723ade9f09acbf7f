// The documents, as the linters of the field see them: those that people run on the documents of the services they use.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type IRuleResult, Spectral } from "@stoplight/spectral-core";
import { asyncapi, oas } from "@stoplight/spectral-rulesets";
import { configurations, documentAt } from "../support/documents";
import { temporaryFolder } from "../support/folder";
import { root, run } from "../support/processes";

// The linters take their time on a busy machine.
setDefaultTimeout(60_000);

const rulesets = { "/swagger/json": oas, "/asyncapi.json": asyncapi } as const;
// AsyncAPI's is the same in all of them.
const documents = [
  ...configurations.map(([name, config]) => ["/swagger/json", name, config] as const),
  ["/asyncapi.json", "", {}] as const,
];

/** AsyncAPI 3.1 is newer, which is not a mistake; the address of whoever answers for a service is known to its owner alone. */
const notOurs = ["asyncapi-latest-version", "asyncapi-info-contact-properties"];

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

async function spectral(ruleset: (typeof rulesets)[keyof typeof rulesets], text: string): Promise<string[]> {
  const linter = new Spectral();
  linter.setRuleset({ extends: [ruleset as never] });
  const found = await linter.run(JSON.parse(text) as Record<string, unknown>);
  return found
    .filter(({ code }) => !notOurs.includes(String(code)))
    .map(({ code, message, path }: IRuleResult) => `${code} ${path.join("/")}: ${message}`);
}

async function redocly(text: string): Promise<string[]> {
  const file = join(folder.path, "document.json");
  await Bun.write(file, text);
  const linter = run([join(root, "node_modules/@redocly/cli/bin/cli.js"), "lint", "--format=json", file], {
    cwd: folder.path,
    env: { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" },
  });
  await linter.exited;
  const { problems } = JSON.parse(linter.stdout.join("\n")) as {
    problems: { ruleId: string; message: string; location: { pointer: string }[] }[];
  };
  return problems.map(({ ruleId, message, location }) => `${ruleId} ${location[0]?.pointer}: ${message}`);
}

describe.each(documents)("%s %s", (path, _, config) => {
  test("Spectral has nothing to say", async () => {
    expect(await spectral(rulesets[path], await documentAt(path, config))).toEqual([]);
  });

  test("Redocly has nothing to say", async () => {
    expect(await redocly(await documentAt(path, config))).toEqual([]);
  });
});

test("the linters see what is wrong", async () => {
  const text = (await documentAt("/swagger/json"))
    .replace('"required":true', '"required":"yes"')
    .replace("#/components/schemas/Item", "#/nowhere");
  expect(await spectral(oas, text)).not.toEqual([]);
  expect(await redocly(text)).not.toEqual([]);
});
