import type { Fault, TransportName } from "../fault";
import { needs } from "../needs";
import type { System } from "../system";

const isMet = (fault: Fault) => (fault.needs ?? []).every((need) => needs[need].met());

/** Combines all of these faults at random in one run, except for those that the machine does not support. */
export function mixOf(all: readonly Fault[]): Fault {
  const mixed = all.filter((fault) => isMet(fault) && isMixable(fault));
  return {
    name: "mix",
    title: "random faults in quick succession",
    transports: ["rabbitmq", "embedded"],
    strikes: { full: 40, short: 10 },
    arrange: { proxies: true, movableClock: needs.libfaketime.met(), ...(needs.root.met() && { diskMb: 512 }) },
    async strike(system, { isShort }) {
      const fault = system.random.of(on(system, mixed));
      await fault.strike(system, { number: 1, isShort });
      await fault.heal?.(system);
    },
  };
}

/** A replay would break the order that all other faults keep. A start without RabbitMQ or with strace needs a separate run. */
function isMixable({ replays, arrange = {} }: Fault): boolean {
  return !replays && !arrange.brokerAbsent && !arrange.traced;
}

function on({ hasBroker }: System, mixed: readonly Fault[]): [Fault, ...Fault[]] {
  const transport: TransportName = hasBroker ? "rabbitmq" : "embedded";
  return mixed.filter(({ transports }) => transports.includes(transport)) as [Fault, ...Fault[]];
}
