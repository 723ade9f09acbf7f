import { afterAll, beforeAll, describe } from "bun:test";
import { isRabbitInstalled, type RabbitNode, type RabbitOptions, startNode } from "./rabbit-node";

const maySkip = !process.env["NO_SKIP"];

/** Same as `describe`, for tests on a real RabbitMQ. Skips them, with the reason, if RabbitMQ is not installed. */
export function describeWithRabbit(name: string, tests: () => void): void {
  if (isRabbitInstalled || !maySkip) describe(name, tests);
  else describe.skip(`${name} (skipped: rabbitmq-server is not installed; on Debian: apt-get install rabbitmq-server)`, tests);
}

/** A virtual host on a RabbitMQ node. */
export interface Rabbit extends Pick<RabbitNode, "port" | "evaluate"> {
  readonly url: string;
  readonly vhost: string;
}

/** The default virtual host of a node that a test may kill, stop, freeze and configure. */
export interface OwnRabbit extends Rabbit, RabbitNode {}

/** Starts a node of its own for the caller, who disposes of it. */
export async function startRabbit(options?: RabbitOptions): Promise<OwnRabbit> {
  const node = await startNode(options);
  return { ...node, url: `amqp://guest:guest@127.0.0.1:${node.port}`, vhost: "/" };
}

let sharedNode: Promise<RabbitNode> | undefined;
let vhosts = 0;

/** Disposes of the node that the files of a test run share. */
export async function disposeSharedNode(): Promise<void> {
  const node = await sharedNode?.catch(() => undefined);
  sharedNode = undefined;
  await node?.dispose();
}

/** Resolves with the node that all files share. A failed start fails one file, and the next one starts a node again. */
function shared(): Promise<RabbitNode> {
  sharedNode ??= startNode().catch((error: unknown) => {
    sharedNode = undefined;
    throw error;
  });
  return sharedNode;
}

/**
 * Adds a virtual host for the tests of the surrounding block, on a node that all files of a run share, and deletes it after the last test.
 * Returns a function that returns it.
 */
export function useRabbit(): () => Rabbit {
  let rabbit: Rabbit | undefined;
  beforeAll(async () => {
    const { port, evaluate } = await shared();
    vhosts += 1;
    // Has characters that must be percent-encoded in a URL.
    const vhost = `test/${vhosts} 100%`;
    await evaluate(`rabbit_vhost:add(${binary(vhost)}, ${actor}),
      rabbit_auth_backend_internal:set_permissions(<<"guest">>, ${binary(vhost)}, <<".*">>, <<".*">>, <<".*">>, ${actor})`);
    rabbit = { url: `amqp://guest:guest@127.0.0.1:${port}/${encodeURIComponent(vhost)}`, port, vhost, evaluate };
  });
  afterAll(() => rabbit?.evaluate(`rabbit_vhost:delete(${binary(rabbit.vhost)}, ${actor})`));
  return duringTests(() => rabbit);
}

/** As `useRabbit`, with a node of its own, which costs some seconds: for tests that kill, stop, freeze or configure it. */
export function useOwnRabbit(options?: RabbitOptions): () => OwnRabbit {
  let rabbit: OwnRabbit | undefined;
  beforeAll(async () => {
    rabbit = await startRabbit(options);
  });
  afterAll(() => rabbit?.dispose());
  return duringTests(() => rabbit);
}

function duringTests<T>(find: () => T | undefined): () => T {
  return () => {
    const rabbit = find();
    if (!rabbit) throw new Error("RabbitMQ runs only during the tests of this block.");
    return rabbit;
  };
}

export interface QueueDepth {
  readonly queue: string;
  readonly ready: number;
  /** Messages that were delivered and not acknowledged. */
  readonly unacked: number;
}

export async function queuesIn(rabbit: Rabbit): Promise<QueueDepth[]> {
  const lines = await rabbit.evaluate(`lists:flatten([io_lib:format("~b ~b ~ts~n", [Ready, Unacked, Name]) ||
    [{name, {resource, _, _, Name}}, {messages_ready, Ready}, {messages_unacknowledged, Unacked}] <-
      rabbit_amqqueue:info_all(${binary(rabbit.vhost)}, [name, messages_ready, messages_unacknowledged])])`);
  return [...lines.matchAll(/^(\d+) (\d+) (.*)$/gm)].map(([, ready, unacked, queue = ""]) => {
    return { queue, ready: Number(ready), unacked: Number(unacked) };
  });
}

/** Resolves with the number of messages in each queue, ready or unacknowledged. */
export async function messagesIn(rabbit: Rabbit): Promise<Record<string, number>> {
  return Object.fromEntries((await queuesIn(rabbit)).map(({ queue, ready, unacked }) => [queue, ready + unacked]));
}

/** Resolves with the bindings of all exchanges but the default one, each as `exchange queue key`. */
export async function bindingsIn(rabbit: Rabbit): Promise<string[]> {
  const lines = await rabbit.evaluate(`lists:flatten([io_lib:format("~ts ~ts ~ts~n", [Exchange, Queue, Key]) ||
    {binding, {resource, _, _, Exchange}, Key, {resource, _, _, Queue}, _} <- rabbit_binding:list(${binary(rabbit.vhost)}), Exchange /= <<>>])`);
  return lines.split("\n").filter(Boolean);
}

export async function deleteQueue(rabbit: Rabbit, name: string): Promise<void> {
  await rabbit.evaluate(`{ok, Queue} = rabbit_amqqueue:lookup({resource, ${binary(rabbit.vhost)}, queue, ${binary(name)}}),
    {ok, _} = rabbit_amqqueue:delete(Queue, false, false, ${actor})`);
}

/** Closes every connection of clients, as an administrator can. */
export async function closeConnections(rabbit: Rabbit): Promise<void> {
  await rabbit.evaluate(`[rabbit_networking:close_connection(Pid, "a test") ||
    [{pid, Pid}, {vhost, Vhost}] <- rabbit_networking:connection_info_all([pid, vhost]), Vhost == ${binary(rabbit.vhost)}]`);
}

/** Removes the queues and exchanges that a test may have left in the broker. */
export async function emptyBroker(rabbit: Rabbit | OwnRabbit): Promise<void> {
  if ("isUp" in rabbit && !rabbit.isUp()) await rabbit.start();
  await rabbit.evaluate(`[rabbit_amqqueue:delete(Queue, false, false, ${actor}) || Queue <- rabbit_amqqueue:list(${binary(rabbit.vhost)})],
    [rabbit_exchange:delete({resource, Vhost, exchange, Name}, false, ${actor}) ||
      {resource, Vhost, exchange, Name} <- rabbit_exchange:list_names(), Vhost == ${binary(rabbit.vhost)},
      Name /= <<>>, binary:longest_common_prefix([Name, <<"amq.">>]) < 4]`);
}

/** Lets RabbitMQ take no larger messages than this, on channels that are opened from now on, while `work` runs. */
export async function whileAllowing(rabbit: OwnRabbit, bytes: number, work: () => Promise<void>): Promise<void> {
  const allowed = await rabbit.evaluate("{ok, Bytes} = application:get_env(rabbit, max_message_size), Bytes");
  const allow = (most: number) => rabbit.evaluate(`application:set_env(rabbit, max_message_size, ${most})`);
  await allow(bytes);
  await work().finally(() => allow(Number(allowed)));
}

/** Name under which changes are made on a node. */
const actor = `<<"tests">>`;

/** Returns a text as an Erlang expression. */
function binary(text: string): string {
  return `<<${Buffer.from(text).join(",")}>>`;
}
