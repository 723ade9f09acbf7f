// Requests to the API for tests of replays.
import { expect } from "bun:test";
import type { Replay } from "../../src/delivery/replays";
import { eventually, send } from "./processes";

/** How long to wait for tens of thousands of events on a busy machine. */
const patienceMs = 60_000;

/** @param url Returns the URL of the API, which may change after a restart. */
export function requests(url: () => string) {
  const post = async (path: string, body: unknown) => {
    const answer = await send("POST", `${url()}${path}`, body);
    return { status: answer.status, location: answer.headers.get("location"), body: (await answer.json()) as Record<string, unknown> };
  };
  const get = async <T>(path: string) => (await (await send("GET", `${url()}${path}`)).json()) as T;
  const health = () => get<{ events: number; confirmed: number }>("/health/ready");
  const replays = async () => (await get<{ replays: Replay[] }>("/replays")).replays;
  const finished = ({ id }: Pick<Replay, "id">) =>
    eventually(
      async () => {
        const replay = await get<Replay>(`/replays/${id}`);
        return replay.state === "running" || replay.state === "queued" ? undefined : replay;
      },
      "the replay to be finished",
      patienceMs,
    );

  return {
    post,
    get,
    health,
    replays,
    /** Resolves when RabbitMQ has every event. After that, only a fill delivers past events. */
    relayed: () =>
      eventually(
        async () => {
          const { events, confirmed } = await health();
          return events === confirmed ? true : undefined;
        },
        "the relay to be through",
        45_000,
      ),
    async create(count: number): Promise<void> {
      for (let n = 0; n < count; n += 1) expect((await post("/items", { name: "x" })).status).toBe(201);
    },
    async startReplay(body: object): Promise<Replay> {
      const answer = await post("/replays", body);
      expect(answer.status).toBe(202);
      const replay = answer.body as unknown as Replay;
      expect(answer.location).toBe(`/replays/${replay.id}`);
      return replay;
    },
    finished,
    /**
     * Resolves when each new queue is filled, bound to its events, and known to be. Its consumer may have got all events before that: a queue
     * that is deleted then is made again, and an API that stops then fills it again.
     */
    async filled(): Promise<void> {
      for (const fill of await replays()) expect((await finished(fill)).state).toBe("finished");
    },
    /** Starts several clients that create items until they are stopped. */
    writeOn() {
      let written = 0;
      let stopping = false;
      const client = async () => {
        while (!stopping) {
          const answer = await send("POST", `${url()}/items`, { name: "x" }).catch(() => undefined);
          if (answer?.status === 201) written += 1;
          // Frequent enough to hit every moment of a fill, and rare enough that the fill ends.
          await Bun.sleep(10);
        }
      };
      const writing = Promise.all(Array.from({ length: 8 }, client));
      return {
        until: (count: number) => eventually(() => (written >= count ? true : undefined), `${count} items to be written`),
        async stop(): Promise<number> {
          stopping = true;
          await writing;
          return written;
        },
      };
    },
  };
}
