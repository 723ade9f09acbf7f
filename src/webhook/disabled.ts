import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The record of a subscription that is disabled because its subscriber responded with 410 Gone. */
export interface Disabled {
  /** Time of the first event that was not delivered (ISO 8601). A replay must start there. */
  readonly since: string;
  /** Hash of the config entry that is disabled. If the entry changes, the subscription is enabled again. */
  readonly entry: string;
}

type Named = { readonly name: string; readonly entry: string };

/**
 * The disabled subscriptions. Each has a small file, which is read before every delivery, so that all processes with this
 * folder agree. Removing the file enables the subscription.
 */
export class DisabledSubscriptions {
  constructor(readonly folder: string) {}

  /** Returns undefined if the subscription is not disabled, or was disabled with another entry. */
  get({ name, entry }: Named): Disabled | undefined {
    try {
      const disabled = JSON.parse(readFileSync(this.#file(name), "utf8")) as Disabled;
      return disabled.entry === entry ? disabled : undefined;
    } catch {
      // There is no file, or it cannot be read. If unreadable, the next delivery gets 410 again and rewrites it.
      return undefined;
    }
  }

  /**
   * Disables a subscription.
   *
   * @param since the time of an event that is not delivered. The earliest one is kept.
   * @returns whether the subscription was enabled before.
   */
  disable(subscription: Named, since: string): boolean {
    const known = this.get(subscription);
    if (known && known.since <= since) return false;
    const file = this.#file(subscription.name);
    const disabled: Disabled = { since, entry: subscription.entry };
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    // Renamed into place, so that no process reads a partly written file.
    writeFileSync(`${file}.new`, JSON.stringify(disabled), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    return !known;
  }

  /** Enables a subscription. Does nothing if it is not disabled. */
  enable(name: string): void {
    rmSync(this.#file(name), { force: true });
  }

  #file(name: string): string {
    return join(this.folder, `webhook.${name}.disabled`);
  }
}

export function disabledText(name: string, since: string): string {
  return (
    `${name} is disabled because it responded with 410 Gone; its events are dropped. To enable it, change its entry in the config, or run: ` +
    `bun run consumers/webhook.ts --enable ${name}. ${missedText(name, since)}`
  );
}

/** Returns the command that sends the missed events. */
export function missedText(name: string, since: string): string {
  return `To send the missed events, run: bun run replay --queue webhook.${name} --from ${since}`;
}
