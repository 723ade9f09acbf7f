// Faults of RabbitMQ: it crashes, restarts, blocks publishers, or is down.
import { eventually } from "../../support/processes";
import type { Fault } from "../fault";
import type { System } from "../system";

const transports = ["rabbitmq"] as const;

export const brokerKill: Fault = {
  name: "broker-kill",
  title: "kill -9 of RabbitMQ",
  transports,
  strikes: { full: 25, short: 2 },
  unnoticed: true,
  async strike({ rabbit, clients, random }) {
    await rabbit.kill();
    await clients.until(random.between(1, 100));
    await rabbit.start();
  },
};

export const brokerRestart: Fault = {
  name: "broker-restart",
  title: "regular restart of RabbitMQ",
  transports,
  strikes: { full: 10, short: 2 },
  unnoticed: true,
  async strike({ rabbit, clients, random }) {
    await rabbit.stop();
    await clients.until(random.between(1, 100));
    await rabbit.start();
  },
};

export const brokerAbsent: Fault = {
  name: "broker-absent",
  title: "RabbitMQ is down at the start and for ten minutes (with --short: five seconds)",
  transports,
  strikes: { full: 1, short: 1 },
  unnoticed: true,
  arrange: { brokerAbsent: true },
  async strike({ rabbit }, { isShort }) {
    await Bun.sleep(isShort ? 5_000 : 600_000);
    await rabbit.start();
  },
};

/** Raises an alarm, checks that the API works while RabbitMQ blocks publishers, and clears the alarm. */
async function alarm(system: System, raise: readonly string[], clear: readonly string[]): Promise<void> {
  const { rabbit, clients, random } = system;
  await rabbit.ctl(...raise);
  try {
    await eventually(async () => ((await brokerState(system)) === "blocked" ? true : undefined), "RabbitMQ to take nothing");
    await clients.until(random.between(100, 400));
  } finally {
    await rabbit.ctl(...clear);
  }
  await eventually(async () => ((await brokerState(system)) === "connected" ? true : undefined), "RabbitMQ to take messages again");
}

async function brokerState({ url }: System): Promise<string> {
  return ((await (await fetch(`${url}/health/ready`)).json()) as { broker: string }).broker;
}

export const memoryAlarm: Fault = {
  name: "memory-alarm",
  title: "memory alarm in RabbitMQ: the API keeps working",
  transports,
  strikes: { full: 10, short: 2 },
  unnoticed: true,
  strike: (system) => alarm(system, ["set_vm_memory_high_watermark", "0"], ["set_vm_memory_high_watermark", "0.6"]),
};

export const diskAlarm: Fault = {
  name: "disk-alarm",
  title: "disk alarm in RabbitMQ: the API keeps working",
  transports,
  strikes: { full: 10, short: 2 },
  unnoticed: true,
  strike: (system) => alarm(system, ["set_disk_free_limit", "900GB"], ["set_disk_free_limit", "50MB"]),
};
