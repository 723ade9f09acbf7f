import { runWebhooks } from "warren/webhooks";

export { webhooks } from "warren/webhooks";

if (import.meta.main) await runWebhooks();
