import type { Setting } from "../answers";
import { TableHead } from "../parts";

const titles: Readonly<Record<Setting["group"], string>> = {
  service: "Service",
  rabbitmq: "RabbitMQ",
  access: "Access",
  tracing: "Tracing",
};

/** Every setting with what is in effect. */
export function SettingsTable({ settings }: { settings: readonly Setting[] }) {
  const groups = Object.entries(titles).map(([group, title]) => ({ title, of: settings.filter((setting) => setting.group === group) }));
  return (
    <section class="panel settings" aria-labelledby="settings">
      <header>
        <h2 id="settings">Settings</h2>
        <span class="at-end">from the environment, at the start of this process</span>
      </header>
      <table>
        <TableHead texts={["Variable", "In effect"]} numbers={["From"]} />
        {groups.map(({ title, of }) => (
          <tbody key={title}>
            <tr class="part">
              <th scope="rowgroup" colSpan={3}>
                {title}
              </th>
            </tr>
            {of.map((setting) => (
              <tr key={setting.name}>
                <td class="name">
                  <code>{setting.name}</code>
                </td>
                <td class="note">
                  <Value setting={setting} />
                </td>
                <td class="number wide quiet">{setting.isSet ? "the environment" : "default"}</td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </section>
  );
}

function Value({ setting: { value, isSet, isSecret } }: { setting: Setting }) {
  if (isSecret && isSet) {
    return (
      <>
        {value !== null && <span class="mono">{value}</span>} <span class="tag">secret, not shown</span>
      </>
    );
  }
  if (value === null) return <span class="quiet">–</span>;
  return <span class={isSet ? "mono" : "mono soft"}>{value}</span>;
}
