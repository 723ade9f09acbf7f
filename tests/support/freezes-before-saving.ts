// Suspends a consumer right before it saves that it has come as far as FREEZE_AT, and kills it when that was saved or refused.
import { PostgresConsumerData } from "../../src/store/postgres/consumer/data";
import { PostgresConsumerStore } from "../../src/store/postgres/consumer/store";

const freezeAt = Number(process.env["FREEZE_AT"]);

const { saveProgress } = PostgresConsumerData.prototype;
PostgresConsumerData.prototype.saveProgress = async function (logId, lanes) {
  const isDue = this instanceof PostgresConsumerStore && lanes.some(({ position }) => position >= freezeAt);
  if (isDue) process.kill(process.pid, "SIGSTOP");
  const lost = await saveProgress.call(this, logId, lanes);
  if (isDue) process.kill(process.pid, "SIGKILL");
  return lost;
};
