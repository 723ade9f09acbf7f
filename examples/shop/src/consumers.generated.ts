// Generated from the files of consumers/ by `bun run generate`. Do not edit.

export const consumers = [
  {"name":"paid-orders","queue":"paid-orders","events":["order.paid"]},
];
