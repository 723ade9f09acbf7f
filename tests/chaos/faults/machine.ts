// Faults of the API's machine: its disk, its clock, and a second API.
import { readFileSync } from "node:fs";
import { eventually, run, send } from "../../support/processes";
import type { Fault } from "../fault";

const both = ["rabbitmq", "embedded"] as const;

export const diskFull: Fault = {
  name: "disk-full",
  title: "the API's disk is full: 503, no 2xx without its data, and recovery without a restart",
  transports: both,
  strikes: { full: 10, short: 3 },
  needs: ["root"],
  arrange: { diskMb: 64 },
  async strike({ disk, clients, random }) {
    const refused = () => clients.changes.filter(({ told }) => told === "refused").length;
    const before = refused();
    disk.fill();
    // The space that SQLite already has lasts for a while.
    await eventually(() => (refused() > before + random.between(1, 20) ? true : undefined), "the disk to be full", 60_000);
    disk.free();
    await clients.until(20);
  },
  heal: async ({ disk }) => disk.free(),
};

export const fsync: Fault = {
  name: "fsync",
  title: "each response follows an fsync, as traced by strace",
  transports: ["embedded"],
  strikes: { full: 20, short: 4 },
  needs: ["strace"],
  arrange: { traced: true },
  async strike(system) {
    const { clients, traceFile } = system;
    const flushes = () => readFileSync(traceFile, "utf8").split(/ f(?:data)?sync\(/).length - 1;
    // Stop the clients, so that no other commits are counted.
    await clients.stop();
    for (let count = 1; count <= 20; count += 1) {
      const before = flushes();
      await clients.ask();
      if (flushes() === before) system.observe("no-fsync", "a change was answered, and nothing was flushed to the disk");
    }
    clients.start();
  },
};

export const clockJump: Fault = {
  name: "clock-jump",
  title: "the clock jumps back and forward by up to a day",
  transports: both,
  strikes: { full: 50, short: 8 },
  needs: ["libfaketime"],
  unnoticed: true,
  arrange: { movableClock: true },
  async strike({ clock, random }) {
    clock.set(random.between(-86_400, 86_400));
  },
};

export const secondApi: Fault = {
  name: "second-api",
  title: "a second API on the same database: refused with a message; the first keeps working",
  transports: both,
  strikes: { full: 20, short: 3 },
  unnoticed: true,
  async strike(system) {
    const second = run(["src/main.ts"], { env: { ...system.environmentOf(system.api), PORT: "0" } });
    const timer = setTimeout(() => void second.stop("SIGKILL"), 20_000);
    const code = await second.exited;
    clearTimeout(timer);
    const said = second.stderr.join(" ");
    if (code !== 1 || !said.includes("in use by another Warren API")) {
      system.observe("second-api", `a second API on the same database ended with ${code}: ${said}`);
    }
  },
};

export const deadReaders: Fault = {
  name: "dead-readers",
  title: "event stream clients that read nothing or disappear",
  transports: both,
  strikes: { full: 20, short: 4 },
  unnoticed: true,
  async strike({ url, random, clients }) {
    const { hostname, port } = new URL(url);
    const request = "GET /events/stream?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const open = (socket: Bun.Socket) => {
      socket.write(request);
      socket.pause();
    };
    const connect = () => Bun.connect({ hostname, port: Number(port), socket: { open, data() {}, error() {} } });
    const readers = await Promise.all(Array.from({ length: 20 }, connect));
    await clients.until(random.between(50, 200));
    for (const reader of readers) reader.terminate();
    // The API serves other clients in the meantime.
    await send("GET", `${url}/events?limit=1`);
  },
};
