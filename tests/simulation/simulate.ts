import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { loadCatalogue, provideResources } from "../../src/project/resources";
import { Broker } from "../../src/rabbitmq/connection";
import { Api } from "./api";
import { checkDeadLetters, checkEnd, checkProgress, deadLetters, unfinished } from "./checks";
import { ConsumerProgram } from "./consumer";
import { Environment } from "./environment";
import { replaceGlobals } from "./globals";
import type { Illness } from "./handler";
import { item } from "./item";
import { describePlan, type Plan, planOf } from "./plan";
import type { SimulatedConnection } from "./rabbit/connection";
import { connectTo } from "./rabbit/recovery";
import { Random } from "./random";
import { watchSqlite } from "./sqlite";
import { Story } from "./story";
import { World } from "./world";

export interface SimulationOptions {
  readonly seed: number;
  /** Number of client actions and faults. Default: from 20 to 80, depending on the seed. */
  readonly deeds?: number | undefined;
}

export interface Simulated {
  readonly seed: number;
  readonly plan: Plan;
  readonly wrong: readonly string[];
  readonly trace: readonly string[];
  readonly steps: number;
  readonly events: number;
  readonly effects: number;
}

provideResources({ item });

const realImmediate = setImmediate;

/** Runs the simulation of a seed in a separate folder. Only one can run at a time, since it replaces the process's globals. */
export async function simulate(options: SimulationOptions, folder: string): Promise<Simulated> {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => void unhandled.push(error);
  process.on("unhandledRejection", onUnhandled);
  const own = join(folder, String(options.seed));
  mkdirSync(join(own, "consumers"), { recursive: true });
  await loadCatalogue();
  try {
    return await new Promise<Simulated>((resolve, reject) => {
      realImmediate(() => {
        try {
          resolve(play(options, own));
        } catch (error) {
          reject(error);
        }
      });
    });
  } finally {
    rmSync(own, { recursive: true });
    process.off("unhandledRejection", onUnhandled);
  }
}

function play({ seed, deeds }: SimulationOptions, folder: string): Simulated {
  const plan = planOf(seed);
  const world = new World(new Random(seed, "order"));
  for (const line of describePlan(plan)) world.note(line);
  const undo = [replaceGlobals(world), watchSqlite(world)];
  const { connect } = Broker;
  const environment = new Environment(world, plan, folder);
  const connections = new Set<SimulatedConnection>();
  Broker.connect = connectTo(environment, connections);
  const illnesses = new Map<number, Illness>();
  const api = new Api(environment);
  const consumers = [...environment.history.queues.values()].flatMap((queue) =>
    Array.from({ length: queue.plan.processes }, () => new ConsumerProgram(environment, queue, illnesses)),
  );
  try {
    const chance = new Random(seed, "story");
    const story = new Story(environment, chance, api, consumers, illnesses, connections);
    const watch = () => {
      if (plan.transport === "rabbitmq") environment.history.checkRelayed(environment.files.relayed());
    };
    api.start();
    for (const consumer of consumers) consumer.start();
    const count = deeds ?? 20 + chance.below(60);
    for (let deed = 0; deed < count && world.wrong.length === 0; deed += 1) {
      for (let pause = chance.below(chance.pick([1, 10, 60])); pause > 0; pause -= 1) {
        world.step();
        watch();
      }
      story.next();
    }
    if (world.wrong.length === 0) end(environment, story, api, watch);
  } finally {
    for (const { process } of [api, ...consumers]) process?.kill();
    Broker.connect = connect;
    for (const each of undo) each();
    environment.files.close();
  }
  const effects = [...environment.history.queues.values()].reduce((sum, { order }) => sum + order.length, 0);
  const { wrong, trace, steps } = world;
  return { seed, plan, wrong, trace, steps, events: environment.history.end, effects };
}

/** Heals all faults and waits until the system is idle. Then redrives the dead letters and waits again. */
function end(environment: Environment, story: Story, api: Api, watch: () => void): void {
  const { world, history } = environment;
  story.healAll();
  if (!rest(environment, story, api, watch)) return;
  checkDeadLetters(environment);
  for (const queue of history.queues.keys()) if (deadLetters(environment, queue).length > 0) api.redrive(queue);
  if (!rest(environment, story, api, watch)) return;
  // Nothing happens for so long. Then the schedule has another event.
  if (environment.plan.ticker) world.now += 61_000;
  if (!rest(environment, story, api, watch)) return;
  for (const name of history.queues.keys()) {
    if (environment.plan.transport === "embedded")
      checkProgress({ ...environment, hasEffect: environment.hasEffect.bind(environment) }, name);
  }
  checkEnd(environment);
  world.note("the end");
}

const patienceMs = 300_000;
const patienceSteps = 60_000;

function rest(environment: Environment, story: Story, api: Api, watch: () => void): boolean {
  const { world } = environment;
  const deadline = world.now + patienceMs;
  let left: string | undefined;
  for (let step = 0, quiet = 0, over = 0; step < patienceSteps && world.now < deadline && world.wrong.length === 0; step += 1) {
    const isOver = !world.step();
    watch();
    if (step % 16 !== 0 && !isOver) continue;
    // Restarted programs may create new work.
    over = isOver ? over + 1 : 0;
    story.restart();
    left = unfinished(environment, api);
    if (over > 1 && left !== undefined) break;
    quiet = left === undefined ? quiet + 1 : 0;
    if (quiet === 8) return true;
  }
  world.breach(`it does not come to rest: ${left}`);
  return false;
}
