import { createHash } from "node:crypto";
import { type BlockList, isIP } from "node:net";
import type { EventPattern } from "../delivery/consumed-events";
import { type RetryPolicy, retryPolicy } from "../delivery/retry-policy";
import { messageOf } from "../observe/logging";
import type { Catalogue } from "../schema/catalogue";
import { inexact } from "../schema/exact-json";
import { mistakeText } from "../schema/mistakes";
import { parseTime } from "../schema/time";
import { bareHost, isPermitted, networks } from "./address";
import { Fields, list, text, wholeNumber } from "./fields";

/** A subscription: an entry of the config file, with defaults. */
export interface Subscription {
  /** Unique name. The queue of the subscription is `webhook.<name>`. */
  readonly name: string;
  /** URL to send events to. */
  readonly url: URL;
  /** Event types or patterns to deliver. */
  readonly events: readonly EventPattern[];
  /** Secrets that sign each delivery. There is more than one while a secret is being replaced. */
  readonly secrets: readonly string[];
  /** Networks that deliveries may connect to although they are not on the internet. */
  readonly allowed: BlockList;
  /** Time limit of a delivery. Default: 15,000. */
  readonly timeoutMs: number;
  /** Maximum number of concurrent deliveries. Default: 8. */
  readonly concurrency: number;
  /** Maximum number of deliveries per second, or null for no limit. Default: null. */
  readonly ratePerSecond: number | null;
  /** Delays and number of attempts of a failed delivery. */
  readonly retry: RetryPolicy;
  /** Where a new subscription starts in the event log. Default: `now`. */
  readonly startFrom: "beginning" | "now" | Date;
  /** Hash of the config entry. It changes when the entry does, and does not reveal its content. */
  readonly entry: string;
}

/** Thrown for a config file with mistakes. The message lists all of them, without secrets. */
export class SubscriptionsError extends Error {
  override readonly name = "SubscriptionsError";
  constructor(
    file: string,
    readonly mistakes: readonly string[],
  ) {
    const lines = mistakes.map((line) => `\n  - ${line.replace(/whsec_[^\s",]+/g, "whsec_***")}`);
    super(`${file} has ${lines.length === 1 ? "a mistake" : `${lines.length} mistakes`}:${lines.join("")}`);
  }
}

const hourMs = 3_600_000;
/** Default retry policy. It covers two days: 5, 20 and 80 s, 5 and 21 minutes, 1.5 and 6 hours, then three times 12 hours. */
const webhookRetry: RetryPolicy = { attempts: 11, firstDelayMs: 5000, factor: 4, longestDelayMs: 12 * hourMs };

/**
 * Reads the text of the config file.
 *
 * @throws {SubscriptionsError} that lists every mistake and how to fix it. It contains no secrets and no URLs.
 */
export function parseSubscriptions(json: string, file: string, catalogue: Catalogue): Subscription[] {
  const mistakes: string[] = [];
  const top = new Fields(parseJson(json, file), "", mistakes);
  const entries =
    top.read(
      "subscriptions",
      list((entry) => entry, "a list with an entry for each subscriber"),
      undefined,
    ) ?? [];
  top.refuseOthers();
  const subscriptions = entries.map((entry, index) => subscriptionOf(entry, `subscriptions[${index}]`, mistakes, catalogue));
  const names = subscriptions.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    if (name && names.indexOf(name) < index) mistakes.push(`subscriptions[${index}].name: use another one; "${name}" is taken`);
  }
  if (mistakes.length > 0) throw new SubscriptionsError(file, mistakes);
  return subscriptions;
}

function parseJson(json: string, file: string): unknown {
  // Some editors on Windows start a file with a byte order mark.
  const text = json.replace(/^\uFEFF/, "");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser's message quotes the text, which could be a secret without quotation marks.
    throw new SubscriptionsError(file, [`it is not JSON: ${messageOf(error).replace(/"[^"]*"?/g, "…")}`]);
  }
  // JSON.parse silently takes the last of duplicate keys.
  const mistakes = inexact(text, value).map(mistakeText);
  if (mistakes.length > 0) throw new SubscriptionsError(file, mistakes);
  return value;
}

function subscriptionOf(entry: unknown, where: string, mistakes: string[], catalogue: Catalogue): Subscription {
  const fields = new Fields(entry, where, mistakes);
  const allowed = fields.read("allowNetworks", readNetworks, networks([]));
  const subscription: Subscription = {
    name: fields.read("name", text(/^[a-z0-9][a-z0-9_-]{0,59}$/, 'lower-case letters, digits, - and _, at most 60, such as "crm"')),
    url: fields.read("url", (value) => readUrl(value, allowed)),
    events: fields.read(
      "events",
      list((value) => readPattern(value, catalogue), 'a list of event types or patterns, such as ["item.*"]'),
    ),
    secrets: fields.read("secret", readSecrets),
    allowed,
    timeoutMs: fields.read("timeoutMs", wholeNumber(100, 120_000, "milliseconds"), 15_000),
    concurrency: fields.read("concurrency", wholeNumber(1, 100, "deliveries at the same time"), 8),
    ratePerSecond: fields.read<number | null>("ratePerSecond", wholeNumber(1, 1_000_000, "deliveries a second"), null),
    retry: fields.read("retry", (value) => readRetry(value, `${where}.retry`, mistakes), webhookRetry),
    startFrom: fields.read<Subscription["startFrom"]>("startFrom", readStart, "now"),
    entry: createHash("sha256").update(JSON.stringify(entry)).digest("hex"),
  };
  fields.refuseOthers();
  return subscription;
}

/** Returns a summary for people. It omits the path of the URL, which may be secret. */
export function describe({ name, events, url }: Subscription): string {
  return `${name}: ${events.join(", ")} to ${url.protocol}//${url.host}`;
}

function readUrl(value: unknown, allowed: BlockList): URL {
  const url = typeof value === "string" ? URL.parse(value) : null;
  if (!url) throw new TypeError('use a whole URL, such as "https://example.com/hooks"');
  if (url.protocol !== "https:" && url.protocol !== "http:") throw new TypeError(`use https:// (or http://), not ${url.protocol}//`);
  if (url.username || url.password) throw new TypeError("leave out user and password; the signature tells the subscriber who it is from");
  const host = bareHost(url);
  if (isIP(host) && !isPermitted(host, allowed)) {
    throw new TypeError(`${host} is not on the internet; if that is meant, put its network into allowNetworks`);
  }
  return url;
}

function readPattern(value: unknown, catalogue: Catalogue): EventPattern {
  catalogue.select([String(value)]);
  return String(value) as EventPattern;
}

function readSecrets(value: unknown): string[] {
  const secrets = (Array.isArray(value) ? value : [value]).map((secret) => {
    const base64 = typeof secret === "string" ? (/^whsec_(.+)$/.exec(secret)?.[1] ?? "") : "";
    const key = Buffer.from(base64, "base64");
    return key.length >= 24 && key.length <= 64 && key.toString("base64") === base64 ? String(secret) : undefined;
  });
  const good = secrets.filter((secret) => secret !== undefined);
  if (good.length < secrets.length || good.length === 0 || good.length > 5) {
    throw new TypeError("use whsec_ and 24 to 64 random bytes in base64, as --secret prints, or a list of up to 5 of them");
  }
  return good;
}

function readNetworks(value: unknown): BlockList {
  try {
    return networks(value as string[]);
  } catch {
    throw new TypeError('use a list of networks, such as ["10.0.0.0/8", "fd00::/8"]');
  }
}

function readRetry(value: unknown, where: string, mistakes: string[]): RetryPolicy {
  const fields = new Fields(value, where, mistakes);
  const number = (given: unknown) => {
    if (typeof given !== "number") throw new TypeError("use a number");
    return given;
  };
  const policy: RetryPolicy = {
    attempts: fields.read("attempts", number, webhookRetry.attempts),
    firstDelayMs: fields.read("firstDelayMs", number, webhookRetry.firstDelayMs),
    factor: fields.read("factor", number, webhookRetry.factor),
    longestDelayMs: fields.read("longestDelayMs", number, webhookRetry.longestDelayMs),
  };
  fields.refuseOthers();
  return retryPolicy(policy);
}

function readStart(value: unknown): Subscription["startFrom"] {
  if (value === "now" || value === "beginning") return value;
  const time = typeof value === "string" ? parseTime(value, "utc") : undefined;
  if (!time) throw new TypeError('use "now", "beginning", or a day or time such as "2026-11-01" or "2026-11-01T08:00:00Z"');
  return time;
}
