import { join } from "node:path";
import { VoidRun } from "./benchmark";

export const connections = 64;

export interface Load {
  /** Requests that were answered, all with 2xx. */
  readonly answers: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Loads a server from a process of its own, with 64 connections that each send the next request when the last one is
 * answered.
 *
 * At the end wrk drops its connections, so up to 64 requests more may have been served than were answered.
 *
 * @throws {VoidRun} when an answer was no 2xx, or did not come.
 */
export async function load(url: string, seconds: number, requests: readonly string[]): Promise<Load> {
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "-s", join(import.meta.dir, "load.lua"), url, "--", ...requests];
  const wrk = Bun.spawn(["wrk", ...args], { stdout: "pipe", stderr: "pipe" });
  const end = () => wrk.kill();
  process.once("exit", end);
  const [out, err, code] = await Promise.all([wrk.stdout.text(), wrk.stderr.text(), wrk.exited]);
  process.off("exit", end);
  const line = out.split("\n").find((text) => text.startsWith("{"));
  if (code !== 0 || !line) throw new Error(`wrk ended with ${code}: ${err || out}`);
  const result = JSON.parse(line) as Record<"answers" | "seconds" | "refused" | "failed" | "p50Ms" | "p99Ms", number>;
  if (result.refused > 0 || result.failed > 0) throw new VoidRun(`${result.refused} answers were no 2xx, ${result.failed} did not come`);
  return { answers: result.answers, perSecond: result.answers / result.seconds, p50Ms: result.p50Ms, p99Ms: result.p99Ms };
}
