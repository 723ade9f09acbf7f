import type { TransportName } from "../delivery/transport";
import type { Store } from "../store/store";
import type { Sources } from "./system-state";

/** How events go from resources to queues. */
export interface Topology {
  readonly transport: TransportName;
  readonly resources: { readonly name: string; readonly exchange: string; readonly queue: string; readonly types: string[] }[];
  readonly queues: TopologyQueue[];
}

export interface TopologyQueue {
  readonly queue: string;
  /** `shared`: the queue of a resource. `own`: a consumer's own queue. */
  readonly kind: "shared" | "own";
  /** The event types that it gets. Null if its consumer has not read this log yet. */
  readonly types: string[] | null;
  /** When its consumer last announced it, or last wrote to its store without RabbitMQ. Null if unknown. */
  readonly announcedAt: string | null;
}

/** Resolves with the queues that consumers have now, and the events that each gets. */
export async function topologyOf(
  { transport, broker, catalogue, consumers }: Pick<Sources, "transport" | "broker" | "catalogue" | "consumers">,
  store: Pick<Store, "subscriptions" | "logId">,
): Promise<Topology> {
  const shared = catalogue.resources.map(
    ({ queue, eventTypes }): TopologyQueue => ({ queue, kind: "shared", types: [...eventTypes], announcedAt: null }),
  );
  return {
    transport: transport.name,
    resources: catalogue.resources.map(({ name, exchange, queue, eventTypes }) => ({ name, exchange, queue, types: [...eventTypes] })),
    queues: broker ? [...shared, ...(await announced(store))] : await withStores({ catalogue, consumers }, store.logId),
  };
}

async function announced({ subscriptions }: Pick<Store, "subscriptions">): Promise<TopologyQueue[]> {
  const known = (await subscriptions.list()).filter(({ types }) => types.length > 0);
  return known.map(({ queue, types, announcedAt }) => ({
    ...{ queue, kind: "own" as const, types: [...types] },
    announcedAt: announcedAt === 0 ? null : new Date(announcedAt).toISOString(),
  }));
}

async function withStores({ catalogue, consumers }: Pick<Sources, "catalogue" | "consumers">, logId: string): Promise<TopologyQueue[]> {
  const queues = await consumers.queues();
  return Promise.all(
    queues.map(async (queue): Promise<TopologyQueue> => {
      // The history of any event says which types are read.
      const { follows } = await consumers.history(queue, logId, "");
      return {
        ...{ queue, kind: catalogue.ownerOf(queue) ? "shared" : "own", types: follows ? [...follows.types] : null },
        announcedAt: (await consumers.changedAt(queue)).toISOString(),
      };
    }),
  );
}
