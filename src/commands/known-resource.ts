import { UsageError } from "../observe/command-line";
import { loadCatalogue } from "../project/resources";
import type { Resource } from "../schema/resource";

/**
 * Resolves with the resource that a command line names, by its name or plural.
 *
 * @throws {UsageError} if it names none, or more.
 */
export async function namedResource(words: readonly string[]): Promise<Resource> {
  const { resources } = await loadCatalogue();
  const known = `Known: ${resources.map(({ name }) => name).join(", ")}.`;
  const [name, ...rest] = words;
  if (name === undefined) throw new UsageError(`Missing the name of a resource. ${known}`);
  if (rest.length > 0) throw new UsageError(`Unexpected argument "${rest[0]}".`);
  const found = resources.find((resource) => resource.name === name || resource.plural === name);
  if (!found) throw new UsageError(`Unknown resource "${name}". ${known}`);
  return found;
}
