import { beforeAll, setDefaultTimeout } from "bun:test";
import { describeContract } from "./support/contract";
import { isInFull } from "./support/in-full";
import { describeWithPostgres, sharedPostgres } from "./support/postgres";
import type { PostgresCluster } from "./support/postgres-cluster";
import { postgresTransport } from "./support/postgres-transport";

setDefaultTimeout(60_000);

describeWithPostgres("the event log in PostgreSQL", () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    cluster = await sharedPostgres();
  });
  describeContract(
    postgresTransport(() => cluster),
    isInFull ? "all" : "main",
  );
});
