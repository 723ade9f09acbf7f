// A consumer whose process dies: the test runs this file, which stands in for one in consumers/.
// FRAGILE_DIES=item: at the handler, on every item called "poison". FRAGILE_DIES=settle: with kill -9, after an effect
// has committed and before its event is acknowledged, now and then.
import { Broker } from "../../src/broker/connection";
import { runConsumer } from "../../src/delivery/consumer";
import { LogCursor } from "../../src/delivery/log-cursor";

const dies = process.env["FRAGILE_DIES"];
const chance = Number(process.env["FRAGILE_CHANCE"] ?? 0);

function perhapsDie(): void {
  if (Math.random() < chance) process.kill(process.pid, "SIGKILL");
}

if (dies === "settle") {
  const { keepChannel } = Broker.prototype;
  Broker.prototype.keepChannel = function (use, stop) {
    const deadly: typeof use = (channel, closed) => {
      const ack = channel.ack.bind(channel);
      channel.ack = (message) => {
        perhapsDie();
        ack(message);
      };
      return use(channel, closed);
    };
    return keepChannel.call(this, deadly, stop);
  };
  const { take } = LogCursor.prototype;
  LogCursor.prototype.take = function (entry) {
    const settle = take.call(this, entry);
    return () => {
      perhapsDie();
      settle();
    };
  };
}

await (dies === "settle"
  ? runConsumer({
      queue: "fragile",
      exactlyOnce: true,
      // Chance may choose one event several times.
      maxDeaths: 100,
      setup: (tx) => tx.run("CREATE TABLE IF NOT EXISTS effects (event TEXT NOT NULL, item INTEGER NOT NULL, version INTEGER NOT NULL)"),
      handle: (event, { tx }) => tx.run("INSERT INTO effects VALUES (?, ?, ?)", event.id, event.item.id, event.item.version),
      onReady: () => console.log("ready"),
    })
  : runConsumer({
      queue: "fragile",
      concurrency: 4,
      handle: async (event) => {
        if (event.item.name === "poison") process.exit(9);
        await Bun.sleep(1);
        console.log(`handled ${event.item.id}`);
      },
      onReady: () => console.log("ready"),
    }));
