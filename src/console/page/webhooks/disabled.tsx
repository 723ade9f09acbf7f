import type { Webhook } from "../answers";
import { linkTo } from "../hash";
import { Icon } from "../icons";
import { mayChange } from "../mode";
import { Command, Time } from "../parts";

/** The subscriptions whose subscribers want no more events, and how to begin again. */
export function Disabled({ webhooks }: { webhooks: readonly Webhook[] }) {
  if (webhooks.length === 0) return null;
  return (
    <section class="panel" aria-label="Disabled subscriptions">
      <ul class="needs">
        {webhooks.map(({ name, queue, disabledSince }) => (
          <li key={name}>
            <Icon name="dead" />
            <div class="starts">
              <p>
                <b>{name} is disabled.</b>
                <span class="soft">
                  It answered 410 Gone{disabledSince !== null && [" to an event of ", <Time key="time" at={disabledSince} />]}. Its events
                  are dropped until it is enabled; a replay sends those that it missed.
                </span>
              </p>
              <Command text={`bun run consumers/webhook.ts --enable ${name}`} />
            </div>
            {mayChange() && (
              <a class="button small" href={linkTo(["replays"], { queue, ...(disabledSince !== null && { from: disabledSince }) })}>
                Replay…
              </a>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
