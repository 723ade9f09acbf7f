// Dangers in the set-up of a queue: RabbitMQ's own words for a difference, arguments, and policies.
import { afterEach, describe, expect, test } from "bun:test";
import { Management } from "../src/rabbitmq/management";
import { dangersOf, refusalReason } from "../src/rabbitmq/queue-dangers";
import { learn, type QueueArguments, type QueueFacts } from "../src/rabbitmq/queue-facts";

const plain: QueueFacts = { durable: true, autoDelete: false, arguments: {} };
const withArguments = (args: QueueArguments): QueueFacts => ({ ...plain, arguments: args });
const dangers = (facts: QueueFacts, queue = "q", isCluster = false) => dangersOf(queue, facts, isCluster).map(({ argument }) => argument);

describe("a refused declaration", () => {
  const refused = (what: string) =>
    `Operation failed: QueueDeclare; 406 (PRECONDITION-FAILED) with message "PRECONDITION_FAILED - inequivalent arg ${what}"`;

  test.each<[string, QueueFacts | undefined]>([
    [refused("'durable' for queue 'q' in vhost '/': received 'true' but current is 'false'"), { ...plain, durable: false }],
    [refused("'auto_delete' for queue 'q' in vhost '/': received 'false' but current is 'true'"), { ...plain, autoDelete: true }],
    [
      refused("'x-max-length' for queue 'q' in vhost '/': received none but current is the value '5' of type 'byte'"),
      withArguments({ "x-max-length": 5 }),
    ],
    [
      refused("'x-dead-letter-exchange' for queue 'it's' in vhost '/': received none but current is the value '' of type 'longstr'"),
      withArguments({ "x-dead-letter-exchange": "" }),
    ],
    [
      refused("'x-single-active-consumer' for queue 'q' in vhost '/': received none but current is the value 'true' of type 'bool'"),
      withArguments({ "x-single-active-consumer": true }),
    ],
    ["PRECONDITION_FAILED - something new", undefined],
  ])("tells: %s", (message, facts) => {
    expect(learn(plain, message)).toEqual(facts);
  });

  test("that names what is known already tells nothing more", () => {
    const known = withArguments({ "x-max-length": 6 });
    expect(learn(known, refused("'x-max-length' for queue 'q' in vhost '/': received '6' but current is '5'"))).toBeUndefined();
  });
});

test.each<[QueueFacts, string[]]>([
  [plain, []],
  [{ ...plain, durable: false, autoDelete: true }, ["durable", "auto_delete"]],
  [withArguments({ "x-max-length": 5, "x-max-length-bytes": 100 }), ["x-max-length", "x-max-length-bytes"]],
  [withArguments({ "x-max-length": 5, "x-overflow": "drop-head" }), ["x-max-length"]],
  [withArguments({ "x-max-length": 5, "x-overflow": "reject-publish-dlx" }), []],
  [withArguments({ "x-message-ttl": 5, "x-dead-letter-exchange": "elsewhere" }), ["x-message-ttl"]],
  [withArguments({ "x-message-ttl": 5, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "q.dead" }), []],
  [withArguments({ "x-queue-type": "stream", "x-max-age": "1D" }), ["x-queue-type", "x-max-age"]],
  [withArguments({ "x-queue-type": "quorum" }), ["x-delivery-limit"]],
  [withArguments({ "x-queue-type": "quorum", "x-delivery-limit": -1 }), []],
  [withArguments({ "x-queue-type": "quorum", "x-dead-letter-exchange": "kept" }), []],
  [withArguments({ "x-max-priority": 5, "x-queue-mode": "lazy", "x-single-active-consumer": true }), []],
])("%j could drop events: %j", (facts, expected) => {
  expect(dangers(facts)).toEqual(expected);
});

test("dead letters on a quorum queue are safe: their reader replaces them in time", () => {
  expect(dangers(withArguments({ "x-queue-type": "quorum" }), "q.dead")).toEqual([]);
});

test("a limit is a reason to refuse events only with reject-publish", () => {
  expect(refusalReason(withArguments({ "x-max-length": 5 }))).toBeUndefined();
  expect(refusalReason(withArguments({ "x-overflow": "reject-publish" }))).toBeUndefined();
  expect(refusalReason(withArguments({ "x-max-length": 5, "x-overflow": "reject-publish" }))).toBe(
    "x-max-length 5, x-overflow reject-publish",
  );
});

describe("the management API", () => {
  let server: ReturnType<typeof Bun.serve> | undefined;
  afterEach(() => server?.stop(true));

  /** @param answers by path; what is not there is 404. */
  function management(answers: Record<string, unknown>, vhost = "/") {
    const asked: { path: string; authorization: string | null }[] = [];
    server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request) {
        const path = new URL(request.url).pathname;
        asked.push({ path, authorization: request.headers.get("authorization") });
        if (!(path in answers)) return new Response("", { status: 404 });
        const answer = answers[path];
        return typeof answer === "number" ? new Response("", { status: answer }) : Response.json(answer);
      },
    });
    return { asked, api: new Management([`http://op:p%40ss@127.0.0.1:${server.port}/base`], vhost) };
  }
  const queue = { durable: true, auto_delete: false, type: "quorum", arguments: { "x-queue-type": "quorum", "x-max-length": 9 } };

  test("of a limit that argument and policy have, the lower one counts; of anything else, the argument", async () => {
    const policy = { "max-length": 7, "message-ttl": 5, "queue-type": "classic" };
    const { api, asked } = management({ "/base/api/queues/%2F/my%20queue": { ...queue, effective_policy_definition: policy } });
    expect(await api.queueFacts("my queue")).toEqual(withArguments({ "x-queue-type": "quorum", "x-max-length": 7, "x-message-ttl": 5 }));
    expect(asked[0]?.authorization).toBe(`Basic ${btoa("op:p@ss")}`);
  });

  test("asks for the virtual host of the URL; without a policy the arguments stand", async () => {
    const { api } = management({ "/base/api/queues/shop/q": { ...queue, effective_policy_definition: [] } }, "shop");
    expect(await api.queueFacts("q")).toEqual(withArguments(queue.arguments));
    expect(await api.queueFacts("missing")).toBeUndefined();
  });

  test("tells which queues are bound to an exchange, each once", async () => {
    const bindings = [
      { destination: "a", destination_type: "queue" },
      { destination: "a", destination_type: "queue" },
      { destination: "b", destination_type: "exchange" },
    ];
    const { api } = management({ "/base/api/exchanges/%2F/events/bindings/source": bindings });
    expect(await api.boundQueues("events")).toEqual(["a"]);
  });

  test("of a node that does not answer is passed over, and asked last from then on", async () => {
    const { api, asked } = management({ "/base/api/queues/%2F/q": queue });
    const away = Bun.serve({ port: 0, fetch: () => new Response("", { status: 503 }) });
    const nodes = new Management([`http://127.0.0.1:${away.port}`, `http://127.0.0.1:${server?.port}/base`], "/");
    expect(await nodes.queueFacts("q")).toEqual(await api.queueFacts("q"));
    await away.stop(true);
    expect(await nodes.queueFacts("q")).toBeDefined();
    expect(asked).toHaveLength(3);
  });

  test("of which no node answers is an error of the first one", async () => {
    const { api } = management({ "/base/api/queues/%2F/q": 503 });
    await expect(api.queueFacts("q")).rejects.toThrow("responded with 503");
  });

  test("that refuses is an error which does not show the password", async () => {
    const { api } = management({ "/base/api/queues/%2F/q": 401 });
    await expect(api.queueFacts("q")).rejects.toThrow(/^the management API at http:\/\/127\.0\.0\.1:\d+ responded with 401$/);
  });
});
