// The dashboard and the alert rules ask for metrics and labels that there are, in queries that Prometheus understands.
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { declaredMetrics } from "./support/declared-metrics";
import { pageText } from "./support/doc-pages";
import { root } from "./support/processes";
import { runPromtool, type Scrape, skipPromtool } from "./support/scrape";

interface Dashboard {
  panels: { type: string; title: string; targets?: { expr: string; legendFormat: string }[] }[];
}
interface Rules {
  groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
}

const folder = join(root, "deploy/observability");
const file = (name: string) => Bun.file(join(folder, name));
let declared: Scrape;
let rules: Rules["groups"][number]["rules"];
let panels: Dashboard["panels"];
beforeAll(async () => {
  declared = await declaredMetrics();
  rules = (Bun.YAML.parse(await file("alerts.yml").text()) as Rules).groups.flatMap((group) => group.rules);
  panels = ((await file("grafana-dashboard.json").json()) as Dashboard).panels.filter(({ type }) => type !== "row");
});

/** Labels that Prometheus adds to every sample. */
const ownLabels = ["job", "instance"];

const operators = ["and", "or", "unless"];

/** Returns the metrics that a query reads, the labels that it asks of each, and those that it groups by. promtool checks its grammar. */
function questions(query: string) {
  const grouped: string[] = [];
  const selectors = query.replaceAll(/"[^"]*"|\[[^\]]*\]/g, "").replaceAll(/\bby \(([^)]*)\)/g, (_, labels: string) => {
    grouped.push(...labels.split(/,\s*/));
    return "";
  });
  const metrics = [...selectors.matchAll(/\b([a-z_]\w*)\b(?!\s*\()(?:\{([^}]*)\})?/g)]
    .map(([, name = "", labels = ""]) => ({ name, labels: labels.match(/\w+/g) ?? [] }))
    .filter(({ name }) => !operators.includes(name));
  return { metrics, grouped };
}

/** Returns what is wrong with the metrics and labels of a query. */
function problems(query: string): string[] {
  const { metrics, grouped } = questions(query);
  const found = metrics.length === 0 ? ["reads no metric"] : [];
  const known = new Set(ownLabels);
  for (const { name, labels } of metrics) {
    const has = name === "up" ? new Set<string>() : declared.labels.get(name);
    if (!has) found.push(`reads ${name}, which is no metric`);
    for (const label of labels) if (!has?.has(label) && !ownLabels.includes(label)) found.push(`${name} has no label ${label}`);
    for (const label of has ?? []) known.add(label);
  }
  for (const label of grouped) if (!known.has(label)) found.push(`groups by ${label}, which none of its metrics has`);
  return found;
}

test("the check can fail", () => {
  expect(problems("rate(warren_relay_confirms_total[$__rate_interval])")).toEqual([]);
  expect(problems("time() - 5")).toEqual(["reads no metric"]);
  expect(problems('warren_queue_messages > 0 and sum by (queue) (warren_nothing{job="a"}[5m])')).toEqual([
    "reads warren_nothing, which is no metric",
  ]);
  expect(problems('sum by (type) (warren_queue_messages{shape="round", job="a"})')).toEqual([
    "warren_queue_messages has no label shape",
    "groups by type, which none of its metrics has",
  ]);
});

test("every alert queries existing metrics, and says what to do", () => {
  expect(rules.length).toBeGreaterThanOrEqual(6);
  for (const { alert, expr, annotations } of rules) {
    expect([alert, problems(expr)]).toEqual([alert, []]);
    expect([alert, Object.keys(annotations)]).toEqual([alert, ["summary", "description"]]);
  }
});

test("every panel queries existing metrics, and names its lines by labels that the query keeps", () => {
  expect(panels.length).toBeGreaterThan(15);
  for (const { title, targets = [] } of panels) {
    expect([title, targets.length > 0]).toEqual([title, true]);
    for (const { expr, legendFormat } of targets) {
      expect([title, problems(expr)]).toEqual([title, []]);
      const { metrics, grouped } = questions(expr);
      const left = grouped.length > 0 ? grouped : [...ownLabels, ...metrics.flatMap(({ name }) => [...(declared.labels.get(name) ?? [])])];
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        expect([title, left]).toEqual([title, expect.arrayContaining([label])]);
    }
  }
});

test("the dashboard shows every metric of Warren", () => {
  const shown = new Set(
    panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => questions(expr).metrics.map(({ name }) => name))),
  );
  const whole = (name: string) => name.replace(/_(bucket|sum|count)$/, "");
  const missing = [...declared.labels.keys()].map(whole).filter((name) => ![...shown].map(whole).includes(name));
  expect(missing).toEqual(["warren_relay_position"]);
});

test("the documentation names every metric", () => {
  const page = pageText("docs/reference/metrics.md");
  const names = new Set([...declared.text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name));
  expect([...names].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

describe.skipIf(skipPromtool)("Prometheus' own tool takes", () => {
  test("the metrics: names, units, types", () => runPromtool(["check", "metrics"], declared.text));
  test("the example of a configuration", () => runPromtool(["check", "config", join(folder, "prometheus.yml")]));
  test("the queries of the dashboard", async () => {
    const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr.replaceAll("$__rate_interval", "5m")));
    await checkQueries(queries);
    await expect(checkQueries([...queries, "sum(up"])).rejects.toThrow("unclosed left parenthesis");
  });
  test("the alert rules, each of which fires when it should and not before", () =>
    runPromtool(["test", "rules", join(folder, "alerts.test.yml")]));
});

/** Checks queries as rules, since promtool does not read dashboards. */
function checkQueries(queries: readonly string[]): Promise<void> {
  const rules = queries.map((expr, index) => ({ record: `query:${index}`, expr }));
  return runPromtool(["check", "rules", "/dev/stdin"], JSON.stringify({ groups: [{ name: "queries", rules }] }));
}
