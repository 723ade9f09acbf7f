import { type Config, ConfigError, readConfig } from "./config";
import { similarTo } from "./similar";

/** Result of a check of the environment variables. */
export interface EnvironmentCheck {
  /** Undefined if there are mistakes. */
  readonly config: Config | undefined;
  readonly mistakes: readonly string[];
  /** Variables that are set, are unknown, and are spelt almost like a known one. */
  readonly misspelt: readonly { readonly name: string; readonly known: string }[];
  /** Names of the known variables that are set. */
  readonly set: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Checks the environment variables as an API would that starts now, but creates no token. */
export function checkEnvironment(environment: Environment = process.env): EnvironmentCheck {
  const known = knownVariables();
  const names = Object.keys(environment).filter((name) => environment[name]?.trim());
  const misspelt = names.flatMap((name) => {
    const meant = known.includes(name) ? undefined : similarTo(name, known);
    return meant === undefined ? [] : [{ name, known: meant }];
  });
  const set = names.filter((name) => known.includes(name)).sort();
  // With `generate`, reading creates the token in the data folder.
  const token = environment["API_TOKEN"]?.trim() === "generate" ? "generated" : environment["API_TOKEN"];
  try {
    return { config: readConfig({ isTerminal: false, environment: { ...environment, API_TOKEN: token } }), mistakes: [], misspelt, set };
  } catch (error) {
    if (error instanceof ConfigError) return { config: undefined, mistakes: error.mistakes, misspelt, set };
    throw error;
  }
}

/** Returns the names of all variables that {@link readConfig} reads. */
export function knownVariables(): string[] {
  const asked = new Set<string>();
  const answer = (name: string) => {
    asked.add(name);
    // Tracing has variables that are read only if there is a collector.
    return name.endsWith("_ENDPOINT") ? "http://localhost:4318" : undefined;
  };
  readConfig({ isTerminal: false, environment: new Proxy<Environment>({}, { get: (_, name) => answer(String(name)) }) });
  return [...asked];
}
