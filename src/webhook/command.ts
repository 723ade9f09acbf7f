import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { readConfig } from "../config/config";
import { exposureOf } from "../config/secret-file";
import { everyFlagHelp, readFlags } from "../consumer/flags";
import { exitWith, runCommand } from "../observe/command-line";
import { messageOf } from "../observe/logging";
import { loadCatalogue } from "../project/resources";
import { consumersFolder } from "../store/consumer/folder";
import { DisabledSubscriptions, disabledText, missedText } from "./disabled";
import { describeSubscription, parseSubscriptions, type Subscription } from "./subscriptions";

const help = `Sends events to subscribers' URLs, signed per Standard Webhooks (https://www.standardwebhooks.com).

  install -m 600 deploy/webhooks.example.json webhooks.json
                                               creates the file of subscriptions; only you can read its secrets
  bun run consumers/webhook.ts --secret        prints a new secret; use one per subscriber
  bun run consumers/webhook.ts --check         checks the file, and lists its subscriptions or its mistakes
  bun run consumers/webhook.ts                 delivers events
  bun run consumers/webhook.ts --enable crm    delivers again to a subscriber that responded with 410 Gone

Options:
  --config FILE      file of subscriptions; default webhooks.json
  --check, --enable NAME, --secret
${everyFlagHelp}

The file is read at startup. Each subscription has its own queue, webhook.<name>. Logs go to standard error. Ctrl+C finishes
the deliveries in progress and stops.`;

/**
 * Reads the command line and the config file. Returns the subscriptions and which of them are disabled. With `--check`,
 * `--enable` or `--secret`, it does that and exits. It exits with 1 for a mistake in the file.
 */
export async function readCommand() {
  const flag = { type: "boolean", default: false } as const;
  const own = { config: { type: "string", default: "webhooks.json" }, check: flag, enable: { type: "string" }, secret: flag } as const;
  const flags = readFlags(help, own);
  const { config, check, enable, secret } = flags;
  if (!secret && !check && enable === undefined) return { ...(await readSubscriptions(config).catch(exitWith)), flags };
  return runCommand(help, async () => {
    console.log(secret ? `whsec_${randomBytes(32).toString("base64")}` : report(await readSubscriptions(config), enable));
    return 0;
  });
}

interface Known {
  readonly subscriptions: readonly Subscription[];
  readonly disabled: DisabledSubscriptions;
}

async function readSubscriptions(file: string): Promise<Known> {
  return {
    subscriptions: parseSubscriptions(readConfigFile(file), file, await loadCatalogue()),
    disabled: new DisabledSubscriptions(consumersFolder(readConfig({ isTerminal: false, listens: false }).dataDir)),
  };
}

function readConfigFile(file: string): string {
  let exposure: string | undefined;
  try {
    exposure = exposureOf(file);
    if (exposure === undefined) return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`Cannot read ${file}: ${messageOf(error)}. Copy deploy/webhooks.example.json, or name another file with --config.`);
  }
  throw new Error(`${file}: ${exposure}.`);
}

/** Enables a subscription, if one is named, or returns the state of all. */
function report({ subscriptions, disabled }: Known, enable: string | undefined): string {
  if (enable !== undefined) return enabled(enable, subscriptions, disabled);
  return subscriptions.map((subscription) => state(subscription, disabled)).join("\n");
}

function state(subscription: Subscription, disabled: DisabledSubscriptions): string {
  const { since } = disabled.get(subscription) ?? {};
  return since === undefined ? describeSubscription(subscription) : disabledText(subscription.name, since);
}

function enabled(name: string, subscriptions: readonly Subscription[], disabled: DisabledSubscriptions): string {
  const subscription = subscriptions.find((known) => known.name === name);
  if (!subscription)
    throw new Error(`There is no subscription "${name}". Known subscriptions: ${subscriptions.map((known) => known.name).join(", ")}.`);
  const { since } = disabled.get(subscription) ?? {};
  disabled.enable(name);
  return since === undefined ? `${name} was not disabled.` : `${name} is enabled. ${missedText(name, since)}`;
}
