// A process of a queue on PostgreSQL that saves its positions also in lanes that another one has taken.
import type { Access } from "../../../src/store/postgres/consumer/access";
import { PostgresConsumerData } from "../../../src/store/postgres/consumer/data";

PostgresConsumerData.prototype.saveProgress = async function (logId, lanes) {
  const { change, table } = Reflect.get(this, "access") as Access;
  for (const { lane, position, begun } of lanes)
    await change(
      `UPDATE ${table("warren_progress")} SET position = $3, begun = $4 WHERE source = $1 AND lane = $2`,
      logId,
      lane.number,
      position,
      begun,
    );
  return [];
};
await import("../freezes-before-saving");
