import { createHash } from "node:crypto";
import { type BlockList, isIP } from "node:net";
import type { EventPattern } from "../delivery/consumed-events";
import { type RetryPolicy, retryPolicy } from "../delivery/retry-policy";
import { messageOf } from "../observe/logging";
import type { Catalogue } from "../schema/catalogue";
import { mistakesIn } from "../schema/check";
import { inexact } from "../schema/exact-json";
import { type Mistake, mistakeText, placeOf } from "../schema/mistakes";
import { parseTime } from "../schema/time";
import { bareHost, isPermitted, networks } from "./address";
import { ConfigFile, type Entry, startPlaces, wholeUrl } from "./config-file";

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
    readonly mistakes: readonly Mistake[],
  ) {
    const lines = mistakes.map((mistake) => `\n  - ${mistakeText(mistake).replace(/whsec_[^\s",]+/g, "whsec_***")}`);
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
  const value = parseJson(json, file);
  const mistakes = mistakesIn(ConfigFile, value);
  const { subscriptions: entries } = Object(value) as { subscriptions?: unknown };
  const subscriptions = (Array.isArray(entries) ? entries : []).map((entry: unknown, index) =>
    subscriptionOf(Object(entry) as Entry, placeOf("subscriptions", index), catalogue, mistakes),
  );
  const names = subscriptions.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    if (name && names.indexOf(name) < index)
      mistakes.push({ pointer: placeOf("subscriptions", index, "name"), detail: `Use another name; "${name}" is already used.` });
  }
  refuse(file, mistakes);
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
    throw new SubscriptionsError(file, [{ pointer: "", detail: `not valid JSON: ${messageOf(error).replace(/"[^"]*"?/g, "…")}` }]);
  }
  // JSON.parse silently takes the last of duplicate keys.
  refuse(file, inexact(text, value));
  return value;
}

function refuse(file: string, mistakes: readonly Mistake[]): void {
  if (mistakes.length > 0) throw new SubscriptionsError(file, mistakes);
}

/**
 * Adds the mistakes that the schema cannot find. After a mistake, the returned subscription must not be used.
 *
 * @param place JSON pointer to the entry.
 */
function subscriptionOf(entry: Entry, place: string, catalogue: Catalogue, mistakes: Mistake[]): Subscription {
  const read = <Field extends keyof Entry, T>(field: Field, parse: (value: NonNullable<Entry[Field]>) => T, fallback?: T): T => {
    const value = entry[field];
    const pointer = `${place}/${field}`;
    const isWrong = mistakes.some((known) => `${known.pointer}/`.startsWith(`${pointer}/`));
    try {
      if (value !== undefined && !isWrong) return parse(value as NonNullable<Entry[Field]>);
    } catch (error) {
      mistakes.push({ pointer, detail: messageOf(error) });
    }
    return fallback as T;
  };
  const { name, secret, timeoutMs = 15_000, concurrency = 8, ratePerSecond = null } = entry;
  const allowed = read("allowNetworks", networks, networks([]));
  return {
    name,
    url: read("url", (text) => readUrl(text, allowed)),
    events: read("events", (patterns) => {
      catalogue.select(patterns);
      return patterns as EventPattern[];
    }),
    secrets: typeof secret === "string" ? [secret] : secret,
    allowed,
    timeoutMs,
    concurrency,
    ratePerSecond,
    retry: read("retry", (retry) => retryPolicy({ ...webhookRetry, ...retry }), webhookRetry),
    startFrom: read("startFrom", readStart, "now"),
    entry: createHash("sha256").update(JSON.stringify(entry)).digest("hex"),
  };
}

/** Returns a summary for people. */
export function describeSubscription(subscription: Subscription): string {
  return `${subscription.name}: ${subscription.events.join(", ")} to ${shownUrl(subscription)}`;
}

/** Returns the URL without its path, which may be secret. */
export function shownUrl({ url }: Pick<Subscription, "url">): string {
  return `${url.protocol}//${url.host}`;
}

function readUrl(text: string, allowed: BlockList): URL {
  const url = URL.parse(text);
  if (!url) throw new Error(wholeUrl);
  if (url.username || url.password) throw new Error("Remove the user and password; the signature authenticates the sender.");
  const host = bareHost(url);
  if (isIP(host) && !isPermitted(host, allowed)) {
    throw new Error(`${host} is not on the internet; to allow it, add its network to allowNetworks.`);
  }
  return url;
}

function readStart(text: string): Subscription["startFrom"] {
  if (text === "now" || text === "beginning") return text;
  const time = parseTime(text, "utc");
  if (!time) throw new Error(startPlaces);
  return time;
}
