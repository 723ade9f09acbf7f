import { longestTold, type Peers } from "../store/peers";

/** Time over which requests are counted before other processes are told, in milliseconds. */
const tellAfterMs = 200;
const prefix = "rates ";

/**
 * Tells other processes how many requests of each client this one has let through, and hears of theirs. If not all clients fit a
 * message, those with the most requests are in it.
 *
 * @param onTold called with what another process has let through.
 * @returns counts a request of a client.
 */
export function shareCounts(peers: Peers, onTold: (client: string, count: number) => void): (client: string) => void {
  let counts = new Map<string, number>();
  peers.onTold((text) => {
    if (!text.startsWith(prefix)) return;
    for (const line of text.slice(prefix.length).split("\n")) {
      const [count = "", client = ""] = line.split(" ");
      if (/^[1-9]\d{0,8}$/.test(count) && client !== "") onTold(client, Number(count));
    }
  });
  function tell(): void {
    peers.tell(messageOf(counts));
    counts = new Map();
  }
  return (client) => {
    if (counts.size === 0) setTimeout(tell, tellAfterMs).unref();
    counts.set(client, (counts.get(client) ?? 0) + 1);
  };
}

function messageOf(counts: ReadonlyMap<string, number>): string {
  let text = "";
  for (const [client, count] of [...counts].sort(([, a], [, b]) => b - a)) {
    const line = `${text === "" ? prefix : "\n"}${count} ${client}`;
    if (text.length + line.length > longestTold) break;
    text += line;
  }
  return text;
}
