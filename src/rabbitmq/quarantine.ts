import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describeError, type Failure } from "../delivery/outcome";
import { timestamp } from "../timing/clock";

/** Returns the folder for messages that no RabbitMQ queue accepts. Each has its own file: `<queue>/<id>.json`. */
export function quarantineFolder(dataDir: string): string {
  return join(dataDir, "quarantine");
}

/** A message that no queue accepts. */
export interface Unwanted {
  readonly content: Buffer;
  readonly fields: { readonly exchange: string; readonly routingKey: string };
  readonly properties: object;
}

/**
 * Writes a message to a file and returns its path. The file is on disk before this returns.
 *
 * @param outcome What its handler did; null if it has not reached one.
 * @param why Reason that no queue accepts the message.
 */
export function quarantine(folder: string, queue: string, message: Unwanted, outcome: Failure | null, why: string): string {
  const place = join(folder, queue);
  mkdirSync(place, { recursive: true, mode: 0o700 });
  const path = join(place, `${Bun.randomUUIDv7()}.json`);
  const file = openSync(`${path}.part`, "wx", 0o600);
  try {
    writeFileSync(file, `${textOf(queue, message, outcome, why)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.part`, path);
  sync(place);
  return path;
}

/** Quarantined messages of one queue. */
export interface Quarantined {
  readonly queue: string;
  readonly messages: number;
  /** Folder that contains their files. */
  readonly folder: string;
}

/** Returns the queues that have quarantined messages. */
export function quarantined(folder: string): Quarantined[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((queue) => ({ queue, folder: join(folder, queue) }))
    .map((each) => ({ ...each, messages: readdirSync(each.folder).filter((name) => name.endsWith(".json")).length }))
    .filter(({ messages }) => messages > 0);
}

/**
 * Removes chosen messages from quarantine. Returns their number.
 *
 * @param isChosen gets the text of a message's file.
 * @param isDryRun true to only count them.
 */
export function removeQuarantined(folder: string, isChosen: (text: string) => boolean, isDryRun: boolean): number {
  let count = 0;
  for (const { folder: place } of quarantined(folder)) {
    for (const name of readdirSync(place)) {
      const path = join(place, name);
      if (!isChosen(readFileSync(path, "utf8"))) continue;
      count += 1;
      if (!isDryRun) rmSync(path);
    }
  }
  return count;
}

/** Describes quarantined messages for a user. */
export function toldQuarantine({ messages, folder }: Quarantined): string {
  return `${messages === 1 ? "A message that no queue accepts is" : `${messages} messages that no queue accepts are`} in ${folder}.`;
}

function textOf(queue: string, message: Unwanted, outcome: Failure | null, why: string): string {
  const { message: error, stack } = outcome ? describeError(outcome.error) : { message: null, stack: null };
  const attempts = outcome?.attempts ?? 0;
  const reason = outcome?.action === "dead-letter" ? outcome.reason : null;
  const { exchange, routingKey } = message.fields;
  const about = { quarantinedAt: timestamp(), queue, why, reason, error, stack, attempts, exchange, routingKey };
  const { body, bodyEncoding } = bodyOf(message.content);
  try {
    return JSON.stringify({ ...about, properties: message.properties, bodyEncoding, body });
  } catch {
    // The headers are nested too deeply.
    return JSON.stringify({ ...about, properties: null, bodyEncoding, body });
  }
}

/** Returns the whole body: as text if it is UTF-8, else as base64. */
function bodyOf(content: Buffer): { body: string; bodyEncoding: "text" | "base64" } {
  try {
    return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content), bodyEncoding: "text" };
  } catch {
    return { body: content.toString("base64"), bodyEncoding: "base64" };
  }
}

/** Syncs a folder, so that a new file name survives a power failure. */
function sync(folder: string): void {
  const opened = openSync(folder, "r");
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}
