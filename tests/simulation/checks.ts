import { tickViolations } from "../chaos/acting/tick-checker";
import { timerViolations } from "../chaos/acting/timer-checker";
import type { Api } from "./api";
import type { Environment } from "./environment";
import type { Dead } from "./files";
import { epoch } from "./globals";
import { type LoggedEvent, nameOf, type QueueHistory } from "./history";

/** Describes the work that remains, or returns undefined if there is none. */
export function unfinished(environment: Environment, { engine, process }: Api): string | undefined {
  const { broker, files, history, plan } = environment;
  if (!engine) return "the api does not run";
  const { end } = history;
  if (files.timers() > 0) return `${files.timers()} timers wait`;
  if (plan.ticker && !goesOn(environment, process?.clockOffsetMs ?? 0)) return "the schedule waits";
  if (plan.transport === "rabbitmq") {
    const relayPosition = files.relayed();
    if (relayPosition < end) return `the relay is at ${relayPosition} of ${end}`;
    for (const { name, entries, unacked } of broker.queues.values()) {
      const isWorkedOn = history.queues.has(name) || name.includes(".retry.") || name === "warren.subscriptions";
      if (isWorkedOn && entries.length + unacked > 0) return `${name} has ${entries.length} messages and ${unacked} in hand`;
    }
  }
  for (const queue of history.queues.keys()) {
    if (plan.transport === "rabbitmq" && !broker.queues.get(queue)?.subscribers.length) return `nobody works on ${queue}`;
    if (files.unfinishedReplays(queue) > 0) return `a replay to ${queue} is not finished`;
    if (plan.transport === "rabbitmq") continue;
    if (files.progress(queue) < end) return `${queue} is at ${files.progress(queue)} of ${end}`;
    if (files.waiting(queue).length > 0) return `events of ${queue} wait for a retry`;
  }
  return undefined;
}

/** Checks a consumer without a broker: every event it has passed has its effect, or is kept in the consumer's file. */
export function checkProgress({ files, history, world, hasEffect }: Bound, name: string): void {
  const queue = history.queues.get(name) as QueueHistory;
  const position = files.progress(name);
  const kept = new Set([...files.waiting(name), ...files.dead(name).map(({ id }) => id)]);
  for (const event of history.log) {
    if (event.position > position) break;
    if (queue.wants(event.type) && !kept.has(event.id) && !hasEffect(name, event.id)) {
      world.breach(`${name} has passed ${nameOf(event)}, which has no effect and is kept nowhere`);
    }
  }
}
type Bound = Pick<Environment, "files" | "history" | "world"> & { readonly hasEffect: (queue: string, id: string) => boolean };

export function deadLetters({ broker, files, plan }: Environment, queue: string): Dead[] {
  if (plan.transport === "embedded") return files.dead(queue);
  return (broker.queues.get(`${queue}.dead`)?.entries ?? []).map(({ message: { properties } }) => {
    const headers = properties.headers ?? {};
    return { id: properties.messageId ?? "", reason: String(headers["x-reason"]), attempts: Number(headers["x-attempts"]) };
  });
}

/** Checks that each dead letter has a valid reason. */
export function checkDeadLetters(environment: Environment): void {
  const { history, world, plan } = environment;
  for (const [name, queue] of history.queues) {
    for (const { id, reason, attempts } of deadLetters(environment, name)) {
      const event = history.find(id);
      const what = `${name} has a dead letter of ${event ? nameOf(event) : id} because of ${reason} after ${attempts} attempts`;
      const failures = queue.failures.get(id) ?? 0;
      if (!event) world.breach(`${what}, and no such event`);
      if (reason === "attempts-exhausted") {
        if (attempts !== queue.plan.attempts) world.breach(`${what}, of ${queue.plan.attempts}`);
        if (failures < attempts && !plan.faults.has("disk full")) world.breach(`${what}, and ${failures} failures`);
      } else if (reason === "rejected") {
        if (!plan.faults.has("handler rejects")) world.breach(`${what}, and nobody rejected it`);
      } else if (reason !== "process-died" || !plan.faults.has("few deaths")) world.breach(what);
      else if (queue.interruptions < 3) world.breach(`${what}, and ${queue.interruptions} deaths and lost connections`);
    }
  }
}

/** Checks the final state, when all faults are healed and no work remains. */
export function checkEnd(environment: Environment): void {
  const { history, world } = environment;
  const logged = new Set(history.log.map(({ type, item, version }) => `${type} ${item} ${version}`));
  for (const change of history.acknowledged) if (!logged.has(change)) world.breach(`${change} was acknowledged, and is not in the log`);
  for (const queue of history.queues.values()) checkQueue(environment, queue);
  for (const queue of history.queues.values()) if (queue.plan.acts) checkChanges(environment, queue);
  checkTimers(environment);
  const { log, jumps } = history;
  for (const [name, example] of tickViolations({ log, jumps, lastTime: undefined })) world.breach(`${name}: ${example}`);
}

/** Returns whether the last event of the schedule is done, and its last time has an event. */
function goesOn({ world, files }: Environment, clockOffsetMs: number): boolean {
  const schedule = files.schedule();
  return schedule?.isDone === 1 && schedule.since >= Math.floor((epoch + world.now + clockOffsetMs) / 60_000) * 60_000;
}

/** Checks that each event has led to the changes of its handler once, whatever came between. */
function checkChanges({ history, world }: Environment, queueHistory: QueueHistory): void {
  const { forced, plan } = queueHistory;
  const { queue } = plan;
  const made = Map.groupBy(
    history.log.filter(({ actor, type }) => actor === `consumer:${queue}` && type === "item.updated"),
    ({ cause }) => cause,
  );
  const deleted = new Set(history.log.filter(({ type }) => type === "item.deleted").map(({ item }) => item));
  for (const event of history.log.filter(({ type }) => type === "item.created" && queueHistory.wants(type))) {
    const count = made.get(event.id)?.length ?? 0;
    if (count === 0 && !deleted.has(event.item)) world.breach(`${queue} has lost the change of ${nameOf(event)}`);
    // A forced replay that is interrupted handles events again.
    if (count > 1 && forced === 0) world.breach(`${queue} has made ${count} changes because of ${nameOf(event)}`);
    made.delete(event.id);
  }
  for (const cause of made.keys()) world.breach(`${queue} has made a change because of ${cause}, and should have made none`);
}

/** Checks that each timer became one event, when its time had come. */
function checkTimers({ history, world, files }: Environment): void {
  const log = history.log.map(({ type, item, description, ...event }) => ({
    ...event,
    type: type.replace("item.", "order."),
    subject: item,
    order: { note: description ?? "" },
  }));
  const waiting = files.timers();
  for (const [name, example] of timerViolations({ log, waiting, jumps: history.jumps })) world.breach(`${name}: ${example}`);
}

function checkQueue(environment: Environment, queue: QueueHistory): void {
  const { history, world, files, plan } = environment;
  const { queue: name, exactlyOnce } = queue.plan;
  const order = exactlyOnce ? files.effects(name) : queue.order;
  const effects = new Map<string, number>();
  for (const id of order) effects.set(id, (effects.get(id) ?? 0) + 1);
  for (const id of effects.keys()) if (!history.find(id)) world.breach(`${name} has an effect of ${id}, which is in no log`);
  const dead = new Set(deadLetters(environment, name).map(({ id }) => id));
  const once = exactlyOnce ? queue.forced === 0 : isQuiet(environment, queue);
  for (const event of history.log.filter(({ type }) => queue.wants(type))) {
    const count = effects.get(event.id) ?? 0;
    if (count === 0) world.breach(`${name} has lost ${nameOf(event)}${dead.has(event.id) ? ", which is a dead letter still" : ""}`);
    if (count > 1 && once) world.breach(`${name} has ${count} effects of ${nameOf(event)}`);
    // An interrupted forced replay continues at its last stored position.
    const resumed = queue.forced > 0 ? history.apiInterruptions : 0;
    const most = 1 + queue.forced + queue.interruptions + resumed;
    // A forced replay whose message the broker refused restarts at its last stored position.
    const isBounded = exactlyOnce && !plan.faults.has("refused messages");
    if (isBounded && count > most) world.breach(`${name} has ${count} effects of ${nameOf(event)}, at most ${most} being asked for`);
  }
  if (isInOrder(plan, queue)) checkOrder(environment, queue, order);
}

/** Returns whether nothing has happened that may deliver an event twice. */
function isQuiet({ plan }: Environment, queue: QueueHistory): boolean {
  const harmless = ["handler errors", "handler rejects", "handler asks for a later retry", "clock jumps", "redrives", "breaker"];
  const { processes, batches, acts } = queue.plan;
  // The events of a failed batch are handled again one by one, and some had their effect already.
  // A handler that changes something runs again if what it has read has changed.
  return processes === 1 && !batches && !acts && [...plan.faults].every((fault) => harmless.includes(fault));
}

/** Returns whether the handler must see the order of the log. A queue with several or half-dead readers has no order. */
function isInOrder({ faults }: Environment["plan"], queue: QueueHistory): boolean {
  const disturbing = ["half-open connection", "refused messages", "queue deleted", "disk full", "few deaths"] as const;
  return queue.plan.processes === 1 && disturbing.every((fault) => !faults.has(fault));
}

/** For each item without failed events, checks that every event's first effect comes after those of all earlier events. */
function checkOrder({ history, world }: Environment, queue: QueueHistory, order: readonly string[]): void {
  const last = new Map<number, LoggedEvent>();
  const seen = new Set<string>();
  for (const id of order) {
    const event = history.find(id);
    if (!event || seen.has(id) || queue.failed.has(event.item)) continue;
    seen.add(id);
    const before = last.get(event.item);
    if (before && before.position > event.position) world.breach(`${queue.plan.queue} had ${nameOf(before)} before ${nameOf(event)}`);
    last.set(event.item, event);
  }
}
