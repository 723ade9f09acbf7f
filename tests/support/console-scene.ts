// A service with something to show in the console: items, a consumer that handles them, and one that gives some up.
import { eventually, type Running, run, send, startApi } from "./processes";
import { queueConsumers } from "./queue-consumer";

export interface SceneOptions {
  /** Environment of the service and its consumers. */
  readonly env: Record<string, string>;
  /** An executable of the service. Default: its sources. */
  readonly program?: string;
}

/** Names of the items that the consumer of the queue `crm` does not handle, and how often each is created. */
const troubles = {
  crash: { how: "fail", count: 7 },
  shelfless: { how: "reject", count: 2 },
  late: { how: "once", count: 1 },
} as const;
export const deadLetters = troubles.crash.count + troubles.shelfless.count;

export interface Scene {
  readonly url: string;
  /** Names of items that every consumer handles. */
  readonly names: readonly string[];
  /** Id of the newest event that was handled by one consumer, and is a dead letter of the other. */
  readonly deadEvent: string;
  /** Lets the consumer of `crm` handle everything. */
  works(): void;
  /** Lets the API and the consumers end. */
  stop(): Promise<void>;
}

/** Starts the service and its consumers. Resolves when every event is handled or a dead letter. */
export async function startScene({ env, program }: SceneOptions): Promise<Scene> {
  const api = await startApi(program === undefined ? { env } : { env, program });
  const consumers = await queueConsumers(env);
  consumers.fails(Object.fromEntries(Object.entries(troubles).map(([name, { how }]) => [name, how])));
  const names: readonly string[] = [
    "Field notebook A5",
    "Canvas tote",
    "Brass desk lamp",
    "Linen apron",
    "Oak ruler 30 cm",
    "Enamel mug",
    "Wool blanket",
  ];
  const items = [...names, ...Object.entries(troubles).flatMap(([name, { count }]) => new Array<string>(count).fill(name))];
  for (const [index, name] of items.entries()) await send("POST", `${api.url}/items`, { name, price: 9.5 + index });
  await send("PATCH", `${api.url}/items/1`, { price: 12.5 });
  const running: Running[] = [
    await consumers.start({ queue: "crm", events: ["item.*"], startFrom: "beginning" }),
    run(["consumers/audit.ts"], { env }),
  ];
  const letters = await eventually(async () => {
    const page = (await (await fetch(`${api.url}/dead-letters/crm`)).json()) as { deadLetters?: { id: string }[] };
    return page.deadLetters?.length === deadLetters && page.deadLetters;
  }, "the dead letters");
  await eventually(async () => {
    const { queues } = (await (await fetch(`${api.url}/status`)).json()) as { queues: { messages: number | null; retries: number }[] };
    return queues.length === 2 && queues.every(({ messages, retries }) => messages === 0 && retries === 0);
  }, "everything to be handled");
  return {
    url: api.url,
    names,
    deadEvent: letters.at(-1)?.id ?? "",
    works: () => consumers.works(),
    async stop() {
      await Promise.all(running.map((one) => one.stop()));
      await api.stop();
      consumers.remove();
    },
  };
}
