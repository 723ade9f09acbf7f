import { join } from "node:path";
import { temporaryFolder, writeSecret } from "./folder";
import { type Api, environment, type Running, run, send } from "./processes";
import { newSecret, type Receiver, type ReceiverOptions, startReceiver } from "./receiver";

export type Entry = { readonly name: string } & Record<string, unknown>;

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly queue?: string;
  readonly error?: string;
  readonly reason?: string;
  readonly attempts?: number;
  readonly delayMs?: number;
}

export interface Webhook extends Running {
  /** Returns the log lines about a subscription. */
  about(name: string): readonly LogLine[];
  /** Resolves with the first line, past or future, about a subscription with this message. */
  logged(name: string, message: string): Promise<LogLine>;
}

/** A folder with a config file, the subscribers in that file, and the consumer. */
export class WebhookTest {
  readonly folder = temporaryFolder();
  readonly env: Record<string, string>;
  readonly file = join(this.folder.path, "webhooks.json");
  readonly entries: Entry[] = [];
  readonly #receivers: Receiver[] = [];

  constructor(rabbitmqUrl?: string) {
    this.env = environment(this.folder.path, rabbitmqUrl);
  }

  /** Starts a subscriber on this machine, and returns its entry. The config file gets the entry on `start`. */
  subscriber(
    name: string,
    answer?: ReceiverOptions["answer"],
    { tls, ...entry }: Pick<ReceiverOptions, "tls"> & Record<string, unknown> = {},
  ) {
    const secret = newSecret();
    const receiver = startReceiver({ secret, ...(answer && { answer }), ...(tls && { tls }) });
    this.#receivers.push(receiver);
    this.add({ name, secret, url: `${receiver.url}/${pathSecret}`, ...entry });
    return receiver;
  }

  add(entry: Entry): void {
    const retry = { attempts: 2, firstDelayMs: 100, factor: 1, longestDelayMs: 100 };
    this.entries.push({ events: ["item.*"], secret: newSecret(), allowNetworks: ["127.0.0.0/8"], retry, ...entry });
  }

  change(name: string, to: Record<string, unknown>): void {
    const index = this.entries.findIndex((entry) => entry.name === name);
    this.entries[index] = { ...this.entries[index], ...to, name };
  }

  /** Writes the config file. */
  write(): void {
    writeSecret(this.file, JSON.stringify({ subscriptions: this.entries }));
  }

  async createItems(api: Api, count: number): Promise<void> {
    for (let made = 0; made < count; made += 1) await send("POST", `${api.url}/items`, { name: "Sample Item" });
  }

  /** Starts the consumer. Resolves when every subscription is served. */
  async start(env: Record<string, string> = {}): Promise<Webhook> {
    this.write();
    const webhook = this.command([], env);
    await webhook.lines(/^Delivering /, this.entries.length);
    return webhook;
  }

  /** Starts the consumer with these options. */
  command(args: readonly string[], env: Record<string, string> = {}): Webhook {
    const running = run(["consumers/webhook.ts", "--config", this.file, ...args], { env: { ...this.env, ...env } });
    const about = (name: string) =>
      running.stderr.map((line) => JSON.parse(line) as LogLine).filter(({ queue }) => queue === `webhook.${name}`);
    return {
      ...running,
      about,
      async logged(name, message) {
        const line = await running.line(new RegExp(`"webhook\\.${name}".*${message}`), "stderr");
        return JSON.parse(line) as LogLine;
      },
    };
  }

  dispose(): void {
    for (const receiver of this.#receivers) receiver.stop();
    this.folder.remove();
  }

  /** Secrets that no output may show. */
  get secrets(): readonly string[] {
    return [pathSecret, ...this.entries.flatMap(({ secret }) => String(secret).replace("whsec_", ""))];
  }
}

/** Part of every subscriber's URL: some services put a secret there. */
const pathSecret = "T024BE7LH";

export function empty(status: number, headers: Record<string, string> = {}): Response {
  return new Response(null, { status, headers });
}
