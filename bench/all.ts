import type { Benchmark } from "./benchmark";
import { acting, timers } from "./benchmarks/acting";
import { besideActing } from "./benchmarks/beside-acting";
import {
  confirmed,
  confirmedActing,
  confirmedBrowser,
  confirmedConsole,
  confirmedDefault,
  confirmedKeys,
  confirmedPostgres,
  confirmedQuorum,
  confirmedSketch,
  confirmedV2,
} from "./benchmarks/confirmed";
import { consumer, consumerOnce } from "./benchmarks/consumer";
import { embedded, embeddedLatency } from "./benchmarks/embedded";
import { actingOncePostgres, embeddedPostgres, embeddedPostgresOnce, embeddedPostgresTwo } from "./benchmarks/embedded-postgres";
import { get, getBesidePost } from "./benchmarks/get";
import { groups, groupsDurable, groupsPostgres } from "./benchmarks/groups";
import { expand, keys } from "./benchmarks/keys";
import { latency } from "./benchmarks/latency";
import { list } from "./benchmarks/list";
import { lists } from "./benchmarks/lists";
import { listsPostgres } from "./benchmarks/lists-postgres";
import { logSize } from "./benchmarks/log-size";
import { logSizePostgres } from "./benchmarks/log-size-postgres";
import { memory, memoryBacklog } from "./benchmarks/memory";
import { post } from "./benchmarks/post";
import { postPostgres } from "./benchmarks/post-postgres";
import { relay, relaySame } from "./benchmarks/relay";
import { retentionPostgres } from "./benchmarks/retention-postgres";
import { start } from "./benchmarks/start";
import { waitingTimers, waitingTimersPostgres } from "./benchmarks/waiting-timers";

/** All benchmarks, in the order in which they run. */
export const benchmarks: readonly Benchmark[] = [
  confirmed,
  confirmedDefault,
  confirmedV2,
  confirmedQuorum,
  confirmedSketch,
  confirmedPostgres,
  confirmedKeys,
  confirmedActing,
  confirmedConsole,
  confirmedBrowser,
  post,
  postPostgres,
  get,
  getBesidePost,
  keys,
  expand,
  list,
  lists,
  listsPostgres,
  relay,
  relaySame,
  consumer,
  consumerOnce,
  latency,
  embedded,
  embeddedLatency,
  embeddedPostgres,
  embeddedPostgresOnce,
  embeddedPostgresTwo,
  acting,
  besideActing,
  actingOncePostgres,
  timers,
  waitingTimers,
  waitingTimersPostgres,
  groups,
  groupsDurable,
  groupsPostgres,
  start,
  logSize,
  logSizePostgres,
  retentionPostgres,
  memory,
  memoryBacklog,
];
