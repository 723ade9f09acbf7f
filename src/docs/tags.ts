import type { Catalogue } from "../schema/catalogue";
import type { Resource } from "../schema/resource";
import type { OpenApiDocument } from "./openapi";

/** The tags of the built-in routes and their descriptions, in display order. */
const ownTags: Readonly<Record<string, string>> = {
  events: "The event log in pages and as a live stream, and the delivery history of each event.",
  "dead letters": "Events that consumers could not handle, with the reason.",
  timers: "Events to publish later.",
  changes: "What the handlers of consumers on other machines change.",
  schedules: "When consumers with a schedule are called.",
  replays: "Sending past events to one queue again.",
  status: "The state of the whole system, and what it consists of.",
  health: "Liveness and readiness of the service.",
  metrics: "Metrics for Prometheus.",
};

/**
 * Sorts the paths by tag for readers and adds the list of tags. The resources come first, then the project's other routes,
 * then the built-in routes.
 */
export function orderByTags(document: OpenApiDocument, { resources }: Catalogue): OpenApiDocument {
  const resourceTags = Object.fromEntries(resources.map((resource) => [resource.plural, describe(resource)]));
  const tagsOf = (path: string) => Object.values(document.paths[path] ?? {}).flatMap(({ tags }) => (tags ?? []) as string[]);
  const used = [...new Set(Object.keys(document.paths).flatMap(tagsOf))];
  const others = used.filter((tag) => !(tag in resourceTags) && !(tag in ownTags));
  const order = [...Object.keys(resourceTags), ...others, ...Object.keys(ownTags)];
  const rank = (path: string) => {
    const [tag] = tagsOf(path);
    // A route without a tag belongs to the project.
    return tag === undefined ? resources.length - 0.5 : order.indexOf(tag);
  };
  const paths = Object.entries(document.paths).sort(([a], [b]) => rank(a) - rank(b));
  const descriptions: Readonly<Record<string, string>> = { ...ownTags, ...resourceTags };
  const tags = order
    .filter((tag) => used.includes(tag))
    .map((name) => ({ name, ...(name in descriptions && { description: descriptions[name] }) }));
  return { ...document, tags, paths: Object.fromEntries(paths) };
}

/** Returns the introduction of the OpenAPI document, in Markdown. */
export function introduce({ resources }: Catalogue): string {
  const lines = resources.filter(({ isRetired }) => !isRetired).map((resource) => `- \`${resource.plural}\`. ${describe(resource)}`);
  const list = lines.length > 0 ? `\n\nResources:\n\n${lines.join("\n")}` : "";
  return `Every change to a resource publishes an event. [/asyncapi](/asyncapi) shows all events and consumers; [/asyncapi.json](/asyncapi.json) is the AsyncAPI document.${list}`;
}

function describe({ eventTypes }: Resource): string {
  return `Events: ${eventTypes.map((type) => `\`${type}\``).join(", ")}.`;
}
