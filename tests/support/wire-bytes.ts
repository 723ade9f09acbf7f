import type { Options } from "../../src/rabbitmq/connection";

// amqplib exports neither function.
const amqplib = "../../node_modules/amqplib/lib";
const { BasicProperties, encodeProperties } = require(`${amqplib}/defs.js`) as {
  BasicProperties: number;
  encodeProperties(properties: number, channel: number, bodyBytes: number, fields: object): Buffer;
};
const { publish } = require(`${amqplib}/api_args.js`) as {
  publish(exchange: string, routingKey: string, options: Options.Publish): object;
};

/** Returns the size of amqplib's frame for a message's properties. Throws amqplib's error if it cannot encode them. */
export function encodedBytes(options: Options.Publish): number {
  return encodeProperties(BasicProperties, 1, 0, publish("", "q", options)).length;
}
