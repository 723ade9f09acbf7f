import type { ObservedQueue, Webhook } from "../answers";
import { Errors } from "../consumers/errors";
import { Bare, Command, Failed, Notice, TableHead } from "../parts";
import { useStatus } from "../status";
import { useRenewed } from "../use-answer";
import { useTitle } from "../use-title";
import { Disabled } from "./disabled";
import { WebhookRow } from "./row";

/** Consumers report every 5 seconds. */
const renewEveryMs = 5000;

/** The subscriptions of webhooks: how their subscribers answer, and which are disabled. */
export function Webhooks() {
  useTitle("Webhooks");
  const { data, error, at, reload } = useRenewed<{ readonly webhooks: readonly Webhook[] }>("/status/webhooks", renewEveryMs);
  const { status } = useStatus();
  if (!data) return <Bare title="Webhooks">{error ? <Failed error={error} onRetry={reload} /> : <Notice title="Loading…" />}</Bare>;
  const { webhooks } = data;
  const queueOf = (name: string): ObservedQueue | undefined => status?.queues?.find(({ queue }) => queue === name);
  return (
    <>
      <header class="top">
        <h1>Webhooks</h1>
      </header>
      <div class="stack">
        {error && <Failed error={error} onRetry={reload} at={at} />}
        <Disabled webhooks={webhooks.filter(({ state }) => state === "disabled")} />
        {webhooks.length === 0 ? (
          <Notice title="No webhook has a subscription yet.">Each entry of webhooks.json is one. Their consumer sends them events.</Notice>
        ) : (
          <section class="panel" aria-label="Subscriptions">
            <table>
              <TableHead
                texts={["Subscription", "State", "Subscriber", "Last answers"]}
                numbers={["Waiting", "Retries", "Dead", "Delivery p99"]}
              />
              <tbody>
                {webhooks.map((webhook) => (
                  <WebhookRow key={webhook.queue} webhook={webhook} queue={queueOf(webhook.queue)} />
                ))}
              </tbody>
            </table>
          </section>
        )}
        <Errors of={webhooks} kind="Subscription" />
        {webhooks.every(({ processes }) => processes === 0) && <HowToBegin isNew={webhooks.length === 0} />}
      </div>
    </>
  );
}

function HowToBegin({ isNew }: { isNew: boolean }) {
  return (
    <section class="panel" aria-labelledby="begin">
      <header>
        <h2 id="begin">{isNew ? "Begin" : "No process delivers to them"}</h2>
      </header>
      <div class="body starts">
        {isNew && <Command text="install -m 600 deploy/webhooks.example.json webhooks.json" />}
        {isNew && <Command text="bun run consumers/webhook.ts --secret" />}
        <Command text="bun run consumers/webhook.ts" />
        <p class="quiet">
          {isNew
            ? "The file with your subscribers, a secret for each of them, and the consumer that delivers."
            : "Events wait until it runs. None is lost."}
        </p>
      </div>
    </section>
  );
}
