import { Elysia } from "elysia";
import { OperationAnswers } from "../changing/answers";
import { maxOperationsBytes, OperationAnswersSchema, Operations } from "../changing/operations";
import { limitedJsonBody } from "../http/json-body";
import { problems } from "../http/problem";
import { defineRoute } from "../routing/route";
import { operatorsOnly } from "./operators";

export default defineRoute(({ system, catalogue }) => {
  const answers = new OperationAnswers(system, catalogue.resources);
  return new Elysia().onBeforeHandle(operatorsOnly(catalogue)).post("", ({ body }) => answers.to(body), {
    ...limitedJsonBody(maxOperationsBytes, Operations, "application/json"),
    response: { 200: OperationAnswersSchema, ...problems(400, 413, 415, 422) },
    detail: {
      tags: ["changes"],
      summary: "Read and commit for the handlers of consumers",
      description:
        "Consumers on other machines use it, with `API_URL`. It is not for other clients, and may change with each version. Answers operations in their order, each with its value or its error.",
      requestBody: {
        required: true,
        content: { "application/json": { example: [] } },
      },
    },
  });
});
