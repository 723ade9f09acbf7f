import fc from "fast-check";
import { type Command, remembered, rest, stories } from "./delivery-commands";
import { DeliveryModel } from "./delivery-model";
import { type DeliveryServers, DeliverySystem, type Setting } from "./delivery-system";

const settings: fc.Arbitrary<Setting> = fc.record({
  exactlyOnce: fc.boolean(),
  concurrency: fc.constantFrom(1, 4),
  events: fc.constantFrom<Setting["events"]>(undefined, ["item.created", "item.deleted"]),
});

/**
 * Runs stories against a consumer, and fails with the shortest one whose result differs from the model. The message has a seed and a path.
 * Set MODEL_SEED, MODEL_PATH and MODEL_REPLAY_PATH to repeat that story.
 */
export async function tellStories(options: DeliveryServers & { runs: number; commands: number; limitMs: number }): Promise<void> {
  const { MODEL_SEED: seed, MODEL_PATH: path, MODEL_REPLAY_PATH: replayPath, MODEL_RUNS: runs } = process.env;
  const property = fc.asyncProperty(settings, stories(options.commands, replayPath), async (setting, commands) => {
    const system = await DeliverySystem.start(setting, options);
    const model = new DeliveryModel(setting.exactlyOnce);
    try {
      await fc.asyncModelRun(() => ({ model, real: system }), commands);
      await rest(model, system);
    } finally {
      await system.stop();
    }
  });
  const examples: [Setting, Iterable<Command>][] = [
    [{ exactlyOnce: false, concurrency: 1, events: undefined }, remembered.stopInReplay],
    [{ exactlyOnce: true, concurrency: 1, events: undefined }, remembered.redriveOfForced],
    [{ exactlyOnce: false, concurrency: 4, events: undefined }, remembered.deathWithTwoCopiesInHand],
  ];
  await fc.assert(property, {
    examples,
    numRuns: Number(runs ?? options.runs),
    interruptAfterTimeLimit: options.limitMs,
    // Running out of time before all stories ran is a failure.
    markInterruptAsFailure: true,
    ...(seed && { seed: Number(seed) }),
    ...(path && { path }),
  });
}
