import { type DescribedConsumer, onlyLook } from "../consumer/describe-only";
import type { ConsumerOptions } from "../delivery/consumer-options";
import { messageOf } from "../observe/logging";
import type { ConsumerFile } from "../project/consumer-files";

/** A consumer in `consumers/`, for the documentation. */
export interface FoundConsumer extends DescribedConsumer {
  /** Name of the consumer, such as `audit`. If its file has several consumers, such as `audit.first`. */
  readonly name: string;
}

/**
 * Finds the consumers of files: those that the files export, or run when loaded. It does not start them, and from then on this process
 * cannot start consumers.
 *
 * @throws {Error} if a file cannot be loaded.
 */
export async function findConsumers(files: readonly ConsumerFile[]): Promise<FoundConsumer[]> {
  const found: FoundConsumer[] = [];
  for (const file of files) {
    const consumers = await lookAt(file, "it is missing from the documentation");
    for (const [key, consumer] of consumers)
      found.push({ name: consumers.length > 1 ? `${file.name}.${key}` : file.name, ...essentialOf(consumer) });
  }
  return found;
}

/** A consumer in `consumers/`, with what creates its tables. */
export type LoadedConsumer = DescribedConsumer & Pick<ConsumerOptions, "setup">;

/**
 * Resolves with the consumers of files, as {@link findConsumers} finds them, with all their options.
 *
 * @throws {Error} if a file cannot be loaded.
 */
export async function loadConsumers(files: readonly ConsumerFile[]): Promise<LoadedConsumer[]> {
  const loaded: LoadedConsumer[] = [];
  for (const file of files) {
    const consumers = await lookAt(file, "its tables cannot be created");
    loaded.push(...consumers.map(([, consumer]) => consumer as LoadedConsumer));
  }
  return loaded;
}

/** @param consequence what follows if the file cannot be loaded. */
async function lookAt({ name, load }: ConsumerFile, consequence: string): Promise<[key: string, DescribedConsumer][]> {
  const shown = `consumers/${name}.ts`;
  const onExit = () =>
    console.error(`${shown} ended the process while it was being loaded. Move its top-level code into \`if (import.meta.main) { … }\`.`);
  process.on("exit", onExit);
  try {
    const { promise: wouldRun, resolve } = Promise.withResolvers<[string, DescribedConsumer][]>();
    onlyLook((consumers) => resolve(consumers.map((consumer, index) => [String(index + 1), consumer])));
    const exported = load().then((module) =>
      Object.entries(module).filter((entry): entry is [string, DescribedConsumer] => isConsumer(entry[1])),
    );
    return await Promise.race([wouldRun, exported]);
  } catch (error) {
    throw new Error(`Cannot load ${shown}, so ${consequence}: ${messageOf(error)}`, { cause: error });
  } finally {
    process.off("exit", onExit);
  }
}

function isConsumer(value: unknown): value is DescribedConsumer {
  if (typeof value !== "object" || value === null) return false;
  return ("queue" in value && typeof value.queue === "string") || ("events" in value && Array.isArray(value.events));
}

/** Returns the properties of a consumer that are data. */
function essentialOf({ queue, events, versions, schedule, timeZone, description, exactlyOnce }: DescribedConsumer): DescribedConsumer {
  return {
    ...(queue !== undefined && { queue }),
    ...(events && { events }),
    ...(versions && { versions }),
    ...(schedule !== undefined && { schedule }),
    ...(timeZone !== undefined && { timeZone }),
    ...(description !== undefined && { description }),
    ...(exactlyOnce && { exactlyOnce }),
  };
}
