// Faults that end processes, by force or gracefully.
import type { CrashPoint } from "../crash-points";
import { crashPoints } from "../crash-points";
import type { Fault } from "../fault";
import { roleNames } from "../roles";

const both = ["rabbitmq", "embedded"] as const;
/** Enough for a slow start on a busy machine. */
const dieMs = 60_000;

export const apiKill: Fault = {
  name: "api-kill",
  title: "kill -9 of the API",
  transports: both,
  strikes: { full: 50, short: 8 },
  async strike({ api }) {
    await api.kill();
    await api.start();
  },
};

const pointTitles: Readonly<Record<CrashPoint, string>> = {
  "before-publish": "before an event is published",
  "after-publish": "between publish and confirm",
  "after-confirm": "after a confirm arrives, before it is recorded",
  "after-position": "immediately after the position is stored",
};

/** Crashes the API at an exact point of the relay. */
export const relayCrashes: readonly Fault[] = crashPoints.map((point) => ({
  name: `relay-${point}`,
  title: `kill -9 of the API ${pointTitles[point]}`,
  transports: ["rabbitmq"],
  strikes: { full: 50, short: 5 },
  async strike({ api, random }) {
    await api.kill();
    const after = random.between(1, point === "after-position" ? 10 : 150);
    await api.start({ CRASH_POINT: point, CRASH_AFTER: String(after) });
    await api.dies(dieMs);
    await api.start();
  },
}));

export const consumerKill: Fault = {
  name: "consumer-kill",
  title: "kill -9 of a consumer between an effect and the acknowledgement",
  transports: both,
  strikes: { full: 50, short: 8 },
  async strike({ consumers, random }) {
    const consumer = consumers[random.of(roleNames)];
    await consumer.kill();
    await consumer.start({ CRASH_AFTER: String(random.between(1, 40)) });
    await consumer.dies(dieMs);
    // Do not wait for it: the next strike may come before it is ready.
    consumer.spawn();
  },
};

export const stop: Fault = {
  name: "stop",
  title: "SIGTERM to each process, which must exit with 0 in time",
  transports: both,
  // About thirty strikes for each of the four processes.
  strikes: { full: 120, short: 8 },
  async strike({ programs, random }) {
    const program = random.of(programs);
    await program.stop();
    await program.start();
  },
};
