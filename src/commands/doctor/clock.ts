import type { Config } from "../../config/config";
import { isServed, openLog } from "../../store/open";
import { type Finding, ok, warning } from "./finding";

/** The clock of this machine, compared with others. */
export interface Clocks {
  /** Seconds by which this machine's clock is behind the newest event; negative if it is ahead. Null if there is no event. */
  readonly behindSeconds: number | null;
  /** Difference of the clock and steady time since the doctor began, in seconds. */
  readonly steppedSeconds: number;
  /** Seconds by which the clocks of others are ahead of this one. */
  readonly ahead: readonly { readonly who: string; readonly seconds: number }[];
}

/** HTTP dates have whole seconds, and an answer takes time. */
const toleratedSeconds = 3;
const timeoutMs = 2000;

/** Compares this machine's clock with the newest event, with steady time, and with the clocks of the API and of RabbitMQ. */
export async function checkClock(config: Config, startedAt: { readonly clock: number; readonly steady: number }): Promise<Finding[]> {
  const ahead = await Promise.all([aheadBy("the API", await apiUrl(config)), aheadBy("RabbitMQ", config.rabbitmq?.managementUrls ?? [])]);
  const log = await openLog(config);
  const [newest] = log ? await log.read((await log.end()) - 1, 1) : [];
  log?.close();
  return clockFindings({
    behindSeconds: newest ? (Date.parse(newest.timestamp) - Date.now()) / 1000 : null,
    steppedSeconds: (Date.now() - startedAt.clock - (performance.now() - startedAt.steady)) / 1000,
    ahead: ahead.flat(),
  });
}

export function clockFindings({ behindSeconds, steppedSeconds, ahead }: Clocks): Finding[] {
  const todo = "Let the machines take their time from one source (NTP): timedatectl status";
  const found = [
    ...(behindSeconds !== null && behindSeconds > 1
      ? [`The clock is ${Math.round(behindSeconds)} s behind the newest event; changes get that event's time until it has caught up.`]
      : []),
    ...(Math.abs(steppedSeconds) > 1 ? [`The clock was set by ${steppedSeconds.toFixed(1)} s while the doctor ran.`] : []),
    ...ahead
      .filter(({ seconds }) => Math.abs(seconds) > toleratedSeconds)
      .map(({ who, seconds }) => `The clock of ${who} is ${Math.abs(Math.round(seconds))} s ${seconds > 0 ? "ahead" : "behind"}.`),
  ];
  if (found.length > 0) return found.map((message) => warning("clock", message, todo));
  const compared = [...(behindSeconds === null ? [] : ["the newest event"]), ...ahead.map(({ who }) => who)];
  return [ok("clock", compared.length > 0 ? `agrees with ${compared.join(" and ")}` : "nothing yet to compare it with")];
}

async function apiUrl(config: Config): Promise<string[]> {
  if (config.port === 0 || !(await isServed(config))) return [];
  const host = config.host === "0.0.0.0" || config.host === "::" ? "127.0.0.1" : config.host;
  return [`http://${host.includes(":") ? `[${host}]` : host}:${config.port}/health/live`];
}

/** Asks HTTP servers for their time. Resolves with that of the first one that tells; with an empty array if none does. */
async function aheadBy(who: string, [url, ...others]: readonly string[]): Promise<{ who: string; seconds: number }[]> {
  if (url === undefined) return [];
  try {
    const asked = new URL(url);
    asked.username = asked.password = "";
    const before = Date.now();
    const { headers } = await fetch(asked, { signal: AbortSignal.timeout(timeoutMs) });
    const theirs = Date.parse(headers.get("date") ?? "");
    // The date has no fraction of a second.
    return Number.isNaN(theirs) ? aheadBy(who, others) : [{ who, seconds: (theirs + 500 - (before + Date.now()) / 2) / 1000 }];
  } catch {
    return aheadBy(who, others);
  }
}
