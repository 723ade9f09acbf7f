import { createRequire } from "node:module";
import { Broker } from "../../../src/rabbitmq/connection";
import { Nodes } from "../../../src/rabbitmq/nodes";
import type { Environment } from "../environment";
import { SimulatedConnection } from "./connection";

type OpenModel = () => Promise<SimulatedConnection>;
/** amqplib's own way to come back after a lost connection, which it does not export. */
const { connectWithRecoveryPromise } = createRequire(import.meta.url)("../../../node_modules/amqplib/lib/recovery.js") as {
  connectWithRecoveryPromise(openModel: OpenModel, recovery: object): Promise<Broker["connection"]>;
};

/** Replaces `Broker.connect`, with the simulated broker instead of amqplib's socket. */
export function connectTo({ world, broker }: Environment, connections: Set<SimulatedConnection>): typeof Broker.connect {
  return async (config, log, options = { expected: true }) => {
    const process = world.current;
    if (!process) throw new Error("No simulated process runs now.");
    const open = async () => {
      const connection = await SimulatedConnection.open(world, process, broker);
      connections.add(connection);
      connection.once("close", () => connections.delete(connection));
      return connection;
    };
    const connection = await connectWithRecoveryPromise(open, {
      waitForConnect: false,
      initialDelay: 200,
      maxDelay: 5000,
      factor: 2,
      jitter: 0.3,
    });
    return Reflect.construct(Broker, [config, new Nodes(config.urls, !options.expected), connection, log]) as Broker;
  };
}
