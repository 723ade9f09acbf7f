import packageJson from "../../../package.json";
import { type Finding, failure, ok, warning } from "./finding";

/** Compares the version of Bun with the one that the library needs, and with the one that it was tested with. */
export function checkVersions(running = Bun.version): Finding[] {
  const tested = packageJson.packageManager.replace("bun@", "");
  const versions = `Bun ${running}, Warren ${packageJson.version}`;
  const install = `Install it: npm install -g bun@${tested} --allow-scripts=bun`;
  if (!Bun.semver.satisfies(running, packageJson.engines.bun))
    return [failure("versions", `${versions}. Warren needs Bun ${packageJson.engines.bun}.`, install)];
  if (running !== tested) return [warning("versions", `${versions}. It was tested with Bun ${tested}.`, install)];
  return [ok("versions", versions)];
}
