import { existsSync } from "node:fs";
import { join } from "node:path";
import { type DescribedConsumer, onlyLook } from "../consumer/describe-only";
import { messageOf } from "../observe/logging";

/** A consumer in `consumers/`, for the documentation. */
export interface FoundConsumer extends DescribedConsumer {
  /** Name of the consumer, such as `audit`. If its file has several consumers, such as `audit.first`. */
  readonly name: string;
}

/**
 * Finds the consumers of a folder: those that its files export, or run when loaded. It does not start them, and from then on
 * this process cannot start consumers.
 *
 * @throws {Error} if a file cannot be loaded.
 */
export async function findConsumers(folder: string): Promise<FoundConsumer[]> {
  const files = existsSync(folder) ? [...new Bun.Glob("*.ts").scanSync(folder)].sort() : [];
  const found: FoundConsumer[] = [];
  for (const file of files) {
    const consumers = await lookAt(join(folder, file));
    const base = file.replace(/\.ts$/, "");
    for (const [key, consumer] of consumers) found.push({ name: consumers.length > 1 ? `${base}.${key}` : base, ...essentialOf(consumer) });
  }
  return found;
}

async function lookAt(path: string): Promise<[key: string, DescribedConsumer][]> {
  const name = `consumers/${path.split("/").at(-1)}`;
  const onExit = () =>
    console.error(`${name} ended the process while it was being loaded. Move its top-level code into \`if (import.meta.main) { … }\`.`);
  process.on("exit", onExit);
  try {
    const { promise: wouldRun, resolve } = Promise.withResolvers<[string, DescribedConsumer][]>();
    onlyLook((consumers) => resolve(consumers.map((consumer, index) => [String(index + 1), consumer])));
    const exported = import(path).then((module: Record<string, unknown>) =>
      Object.entries(module).filter((entry): entry is [string, DescribedConsumer] => isConsumer(entry[1])),
    );
    return await Promise.race([wouldRun, exported]);
  } catch (error) {
    throw new Error(`Cannot load ${name}, so it is missing from the documentation: ${messageOf(error)}`, { cause: error });
  } finally {
    process.off("exit", onExit);
  }
}

function isConsumer(value: unknown): value is DescribedConsumer {
  if (typeof value !== "object" || value === null) return false;
  return ("queue" in value && typeof value.queue === "string") || ("events" in value && Array.isArray(value.events));
}

/** Returns the properties of a consumer that are data. */
function essentialOf({ queue, events, versions, description, exactlyOnce }: DescribedConsumer): DescribedConsumer {
  return {
    ...(queue !== undefined && { queue }),
    ...(events && { events }),
    ...(versions && { versions }),
    ...(description !== undefined && { description }),
    ...(exactlyOnce && { exactlyOnce }),
  };
}
