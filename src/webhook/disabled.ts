import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** That a subscription is disabled, since its subscriber answered 410 Gone. */
export interface Disabled {
  /** The time of the first event that was not delivered, ISO 8601: what a replay has to begin with. */
  readonly since: string;
  /** The entry in the config that this is about: another one is not disabled. */
  readonly entry: string;
}

type Named = { readonly name: string; readonly entry: string };

/**
 * Which subscriptions are disabled: a small file for each. It is looked at before every delivery, so that it is the same
 * for every process on this folder, and to remove it is to enable the subscription.
 */
export class DisabledSubscriptions {
  constructor(readonly folder: string) {}

  /** Undefined: it is not, or was with another entry. */
  get({ name, entry }: Named): Disabled | undefined {
    try {
      const disabled = JSON.parse(readFileSync(this.#file(name), "utf8")) as Disabled;
      return disabled.entry === entry ? disabled : undefined;
    } catch {
      // There is none; or it cannot be read, and then the next delivery says anew how things are.
      return undefined;
    }
  }

  /**
   * @param since the time of an event that is not delivered; the earliest is kept.
   * @returns whether it was not disabled before.
   */
  disable(subscription: Named, since: string): boolean {
    const known = this.get(subscription);
    if (known && known.since <= since) return false;
    const file = this.#file(subscription.name);
    const disabled: Disabled = { since, entry: subscription.entry };
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    // Never half written.
    writeFileSync(`${file}.new`, JSON.stringify(disabled), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    return !known;
  }

  enable(name: string): void {
    rmSync(this.#file(name), { force: true });
  }

  #file(name: string): string {
    return join(this.folder, `webhook.${name}.disabled`);
  }
}

export function disabledText(name: string, since: string): string {
  return (
    `${name} is disabled: it has answered 410 Gone, and its events are dropped. To deliver again, change its entry in the config, or run: ` +
    `bun run consumers/webhook.ts --enable ${name}. ${missedText(name, since)}`
  );
}

export function missedText(name: string, since: string): string {
  return `What it missed is sent by: bun run replay --queue webhook.${name} --from ${since}`;
}
