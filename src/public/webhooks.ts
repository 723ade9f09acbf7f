export { runWebhooks, webhooks } from "../webhook/run";
