import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { Conflict, conditionsOf, defineRoute, jsonBody, Problem, paramsOf, recordResponse } from "warren/route";
import { account } from "../../../src/domain/account";
import { transfer } from "../../../src/domain/transfer";

const body = Type.Object(
  { to: Type.Integer({ minimum: 1 }), amount: Type.Integer({ minimum: 1 }), note: Type.String() },
  { additionalProperties: false },
);

export default defineRoute(({ storeFor }) =>
  new Elysia().post(
    "",
    async ({ params, body, request }) => {
      const [from, { to, amount, note }] = [Number(params.id), body];
      const { guard, once } = conditionsOf(account, request, body);
      const made = await storeFor(request).transaction(
        async (tx) => {
          const { balance } = await tx.read(account, from);
          if (balance < amount) throw new Conflict(`The balance is ${balance}.`);
          await tx.update(account, from, { balance: balance - amount }, { guard });
          await tx.update(account, to, ({ balance }) => ({ balance: balance + amount }));
          return tx.insert(transfer, { from, to, amount, note });
        },
        { once },
      );
      return recordResponse(made, 201);
    },
    {
      params: paramsOf(account),
      ...jsonBody(body, "application/json"),
      response: { 201: transfer.record, 404: Problem, 409: Problem, 412: Problem, 422: Problem, 503: Problem },
    },
  ),
);
