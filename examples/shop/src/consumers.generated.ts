// Generated from the files of consumers/ by `bun run generate`. Do not edit.

export const consumers = [
  {"name":"daily-sales","queue":"daily-sales","schedule":"0 9 * * 1-5","timeZone":"Europe/London"},
  {"name":"release-stock","queue":"release-stock","events":["order.expired"]},
  {"name":"reserve-stock","queue":"reserve-stock","events":["order.created"]},
  {"name":"take-payments","queue":"take-payments","events":["payment.created","payment.updated"]},
];
