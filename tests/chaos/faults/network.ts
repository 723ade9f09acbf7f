// Faults of the network between the processes and RabbitMQ.
import { eventually } from "../../support/processes";
import { closeConnections } from "../../support/rabbit";
import type { Fault } from "../fault";

const transports = ["rabbitmq"] as const;

export const cut: Fault = {
  name: "cut",
  title: "TCP connections are reset, or RabbitMQ closes them all",
  transports,
  strikes: { full: 50, short: 10 },
  unnoticed: true,
  arrange: { proxies: true },
  async strike(system) {
    const { random, rabbit, programs } = system;
    if (random.chance(0.2)) await closeConnections(rabbit);
    else system.proxyOf(random.of(programs)).cut();
  },
};

/** Three heartbeats of the length in src/rabbitmq/connection.ts, and a moment to observe the result. */
const foundWithinSeconds = 3 * 5 + 1;
const lost = "Lost the connection to RabbitMQ";
const connected = "Connected to RabbitMQ";

export const halfOpen: Fault = {
  name: "half-open",
  title: "half-open connection: detected within three heartbeats",
  transports,
  strikes: { full: 20, short: 2 },
  unnoticed: true,
  arrange: { proxies: true },
  async strike(system) {
    const { random, programs, clients } = system;
    // Strike one program, or all of them as when a switch fails.
    const struck = random.chance(0.5) ? programs : [random.of(programs)];
    await Promise.all(
      struck.map(async (program) => {
        const count = (what: string) => program.output.filter((line) => line.includes(what)).length;
        const before = count(lost);
        await eventually(() => (count(connected) > before ? true : undefined), `${program.name} to be connected`);
        const frozenAt = performance.now();
        system.proxyOf(program).freeze();
        await eventually(() => (count(lost) > before ? true : undefined), `${program.name} to find that its connection is dead`, 60_000);
        const seconds = (performance.now() - frozenAt) / 1000;
        if (seconds > foundWithinSeconds) {
          system.observe("found-late", `${program.name} found after ${seconds.toFixed(1)} s that its connection was dead`);
        }
      }),
    );
    await clients.until(random.between(1, 100));
  },
};

export const slow: Fault = {
  name: "slow",
  title: "slow network that splits messages into small packets",
  transports,
  strikes: { full: 20, short: 3 },
  unnoticed: true,
  arrange: { proxies: true },
  async strike(system) {
    const { random, programs, clients } = system;
    const proxies = programs.map((program) => system.proxyOf(program));
    for (const proxy of proxies) proxy.slow(random.between(1, 700), random.between(1, 5));
    await clients.until(random.between(100, 500));
    for (const proxy of proxies) proxy.hasten();
  },
};
