import type { Fault } from "./fault";
import { brokerAbsent, brokerKill, brokerRestart, diskAlarm, memoryAlarm } from "./faults/broker";
import { apiKill, consumerKill, relayCrashes, stop } from "./faults/kills";
import { clockJump, deadReaders, diskFull, fsync, secondApi } from "./faults/machine";
import { mixOf } from "./faults/mix";
import { cut, halfOpen, slow } from "./faults/network";
import { ackTimeout, queueArguments, queueDeleted, queuesGone } from "./faults/queues";

const single: readonly Fault[] = [
  apiKill,
  ...relayCrashes,
  consumerKill,
  stop,
  brokerKill,
  brokerRestart,
  cut,
  halfOpen,
  slow,
  memoryAlarm,
  diskAlarm,
  diskFull,
  fsync,
  queueArguments,
  queueDeleted,
  queuesGone,
  ackTimeout,
  brokerAbsent,
  secondApi,
  clockJump,
  deadReaders,
];

export const mix = mixOf(single);

/** Every fault, in the order in which they run. */
export const faults: readonly Fault[] = [...single, mix];
