// Generated from the files of consumers/ by `bun run generate`. Do not edit.

export const consumers = [
  {"name":"audit","queue":"audit","events":["#","*.erased"],"description":"Keeps the history of every record: what changed, when, and the old and new values.","exactlyOnce":true},
  {"name":"logger","queue":"item_events","description":"Prints every event as it happens."},
  {"name":"webhook","queue":"webhook.{name}","events":["#"],"description":"Delivers the events of each subscription to its URL, signed per Standard Webhooks."},
];
