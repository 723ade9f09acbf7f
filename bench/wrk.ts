import { join } from "node:path";
import { VoidRun } from "./benchmark";

export const connections = 64;

export interface Load {
  /** Number of responses, all with a 2xx status. */
  readonly answers: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Loads a server from a separate process, with 64 connections. Each sends the next request after the response to the last one.
 *
 * At the end wrk drops its connections, so the server may have handled up to 64 more requests than it answered.
 *
 * @throws {VoidRun} if a response had another status than 2xx, or did not arrive.
 */
export async function load(url: string, seconds: number, requests: readonly string[]): Promise<Load> {
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "-s", join(import.meta.dir, "load.lua"), url, "--", ...requests];
  const wrk = Bun.spawn(["wrk", ...args], { stdout: "pipe", stderr: "pipe" });
  const end = () => wrk.kill();
  process.once("exit", end);
  const [out, err, code] = await Promise.all([wrk.stdout.text(), wrk.stderr.text(), wrk.exited]);
  process.off("exit", end);
  const line = out.split("\n").find((text) => text.startsWith("{"));
  if (code !== 0 || !line) throw new Error(`wrk exited with code ${code}: ${err || out}`);
  const result = JSON.parse(line) as Record<"answers" | "seconds" | "refused" | "failed" | "p50Ms" | "p99Ms", number>;
  if (result.refused > 0 || result.failed > 0)
    throw new VoidRun(`${result.refused} responses were not 2xx, and ${result.failed} requests got no response`);
  return { answers: result.answers, perSecond: result.answers / result.seconds, p50Ms: result.p50Ms, p99Ms: result.p99Ms };
}
