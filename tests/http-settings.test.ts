// GET /status/settings: every variable with what is in effect, and no secret.
import { afterEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import settingsRoute from "../src/built-in/settings";
import { knownVariables } from "../src/config/check-environment";
import { readConfig } from "../src/config/config";
import { type ShownSetting, shownSettings } from "../src/config/settings";
import { openApi, type TestApi } from "./support/api";
import { root } from "./support/processes";

let api: TestApi | undefined;
afterEach(async () => {
  await api?.close();
  api = undefined;
});

type Environment = Readonly<Record<string, string>>;

const shown = (environment: Environment) => shownSettings(readConfig({ isTerminal: false, environment }), environment);
const valueIn = (settings: readonly ShownSetting[], name: string) => settings.find((setting) => setting.name === name);

test("every variable that the service reads or that .env.example lists is there", () => {
  const names = shown({}).map(({ name }) => name);
  const example = readFileSync(join(root, ".env.example"), "utf8");
  const listed = [...example.matchAll(/^#?([A-Z_]+)=/gm)].map(([, name = ""]) => name);
  expect([...knownVariables(), ...listed].filter((name) => !names.includes(name))).toEqual([]);
  expect(new Set(names).size).toBe(names.length);
});

test("what is not set has its default", () => {
  const settings = shown({});
  expect(settings.filter(({ isSet }) => isSet)).toEqual([]);
  expect(valueIn(settings, "EVENT_RETENTION")?.value).toBe("forever");
  expect(valueIn(settings, "DATABASE_URL")?.value).toBe("sqlite:data/warren.db");
  expect(valueIn(settings, "RATE_LIMIT")?.value).toBe("off");
  expect(valueIn(settings, "API_TOKEN")?.value).toBe("none");
  expect(valueIn(shown({ RABBITMQ_URL: "none", EVENT_RETENTION: "30d" }), "EVENT_RETENTION")).toMatchObject({ value: "30d", isSet: true });
});

const secrets = ["pa55word", "s3cret-token-1", "s3cret-token-2", "k".repeat(40), "header-s3cret", "query-s3cret"];
const secretive: Environment = {
  DATABASE_URL: "postgres://ada:pa55word@db.example.com/shop",
  RABBITMQ_URL: "amqp://ada:pa55word@mq.example.com:5672",
  RABBITMQ_MANAGEMENT_URL: "http://ada:pa55word@mq.example.com:15672",
  WARREN_KEY: "k".repeat(40),
  API_TOKEN: "read:ada:s3cret-token-1,s3cret-token-2",
  OTEL_EXPORTER_OTLP_ENDPOINT: "http://ada:pa55word@otel.example.com:4318/v1?key=query-s3cret",
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://ada:pa55word@otel.example.com:4318/v1?key=query-s3cret",
  OTEL_EXPORTER_OTLP_HEADERS: "authorization=header-s3cret",
};

test("no secret is in it, and whose tokens there are is", async () => {
  api = openApi({ routes: [{ file: "settings.ts", path: "/status/settings", route: settingsRoute }], settings: secretive });
  const { status, text, json } = await api.send("GET", "/status/settings");
  expect(status).toBe(200);
  expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  const { settings, versions } = json<{ settings: ShownSetting[]; versions: { bun: string } }>();
  expect(versions.bun).toBe(Bun.version);
  expect(valueIn(settings, "API_TOKEN")).toMatchObject({ value: "read (ada), admin", isSet: true, isSecret: true });
  expect(valueIn(settings, "WARREN_KEY")).toMatchObject({ value: null, isSet: true, isSecret: true });
  expect(valueIn(settings, "RABBITMQ_URL")?.value).toContain("mq.example.com");
  expect(valueIn(settings, "DATABASE_URL")?.value).toContain("db.example.com");
});
