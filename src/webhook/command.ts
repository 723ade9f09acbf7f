import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { readConfig } from "../config/config";
import { exposureOf } from "../config/secret-file";
import { everyFlagHelp, readFlags } from "../consumer/flags";
import { messageOf } from "../observe/logging";
import { tell } from "../observe/terminal";
import { loadCatalogue } from "../project/resources";
import { consumersFolder } from "../store/consumer/files";
import { DisabledSubscriptions, disabledText, missedText } from "./disabled";
import { describe, parseSubscriptions, type Subscription } from "./subscriptions";

const help = `Sends events to subscribers' URLs, signed as Standard Webhooks (https://www.standardwebhooks.com) has it.

  install -m 600 deploy/webhooks.example.json webhooks.json
                                               who gets which events; nobody else may read its secrets
  bun run consumers/webhook.ts --secret        prints a new secret; each subscriber has its own
  bun run consumers/webhook.ts --check         says what is wrong with the file, or what it means
  bun run consumers/webhook.ts                 delivers
  bun run consumers/webhook.ts --enable crm    delivers again to a subscriber that has answered 410 Gone

Options:
  --config FILE      the subscriptions; default webhooks.json
  --check, --enable NAME, --secret
${everyFlagHelp}

The file is read at the start. Each subscription has a queue of its own, webhook.<name>. Logs go to standard error. Ctrl+C
finishes the deliveries in hand and stops.`;

/**
 * Reads the command line and the config file. Returns the subscriptions and which of them are disabled. With `--check`,
 * `--enable` or `--secret`, it does that and exits. It exits with 1 for a mistake in the file.
 */
export async function readCommand() {
  const flag = { type: "boolean", default: false } as const;
  const own = { config: { type: "string", default: "webhooks.json" }, check: flag, enable: { type: "string" }, secret: flag } as const;
  const flags = readFlags(help, own);
  const { config, check, enable, secret } = flags;
  if (secret) exitWith(`whsec_${randomBytes(32).toString("base64")}`);
  try {
    const subscriptions = parseSubscriptions(readConfigFile(config), config, await loadCatalogue());
    const disabled = new DisabledSubscriptions(consumersFolder(readConfig({ isTerminal: false, listens: false }).dataDir));
    if (enable !== undefined) exitWith(enabled(enable, subscriptions, disabled));
    if (check) exitWith(subscriptions.map((subscription) => state(subscription, disabled)).join("\n"));
    return { subscriptions, disabled, flags };
  } catch (error) {
    tell(messageOf(error));
    process.exit(1);
  }
}

function readConfigFile(file: string): string {
  try {
    const exposure = exposureOf(file);
    if (exposure === undefined) return readFileSync(file, "utf8");
    exitWith(`${file}: ${exposure}.`, 1);
  } catch (error) {
    throw new Error(
      `${file} cannot be read: ${messageOf(error)}. Start with a copy of deploy/webhooks.example.json, or name another file with --config.`,
    );
  }
}

function state(subscription: Subscription, disabled: DisabledSubscriptions): string {
  const { since } = disabled.get(subscription) ?? {};
  return since === undefined ? describe(subscription) : disabledText(subscription.name, since);
}

function enabled(name: string, subscriptions: readonly Subscription[], disabled: DisabledSubscriptions): string {
  const subscription = subscriptions.find((known) => known.name === name);
  if (!subscription)
    throw new Error(`There is no subscription "${name}"; there are ${subscriptions.map((known) => known.name).join(", ")}.`);
  const { since } = disabled.get(subscription) ?? {};
  disabled.enable(name);
  return since === undefined ? `${name} was not disabled.` : `${name} is enabled. ${missedText(name, since)}`;
}

function exitWith(text: string, code = 0): never {
  (code === 0 ? console.log : tell)(text);
  process.exit(code);
}
