import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import packageJson from "../../package.json";
import { type ShownSetting, settingGroups } from "../config/settings";
import { aboutProject } from "../project/about";
import { isExecutable } from "../project/executable";
import { defineRoute } from "../routing/route";
import { operatorsOnly } from "./operators";

const ASetting = Type.Unsafe<ShownSetting>(
  Type.Object({
    name: Type.String({ description: "Name of the variable." }),
    group: Type.Union(settingGroups.map((group) => Type.Literal(group))),
    value: Type.Union([Type.String(), Type.Null()], {
      description: "What is in effect, without secrets. null: nothing, or all of it is secret.",
    }),
    isSet: Type.Boolean({ description: "Whether the environment sets it. Otherwise, the value is the default." }),
    isSecret: Type.Boolean({ description: "Whether it has a secret, which `value` leaves out." }),
  }),
);

const Settings = Type.Object(
  {
    versions: Type.Object({
      warren: Type.String(),
      bun: Type.String(),
      project: Type.String({ description: "Version of the project." }),
      title: Type.String({ description: "Name of the project." }),
      system: Type.String({ description: "Operating system and processor." }),
      executable: Type.Boolean({ description: "Whether the process is an executable of `bun run build`." }),
    }),
    settings: Type.Array(ASetting),
  },
  {
    title: "Settings",
    examples: [
      {
        versions: { warren: "1.0.0", bun: "1.4.5", project: "1.0.0", title: "Shop", system: "linux x64", executable: false },
        settings: [
          { name: "PORT", group: "service", value: "3000", isSet: false, isSecret: false },
          { name: "API_TOKEN", group: "access", value: "read (ada), admin", isSet: true, isSecret: true },
        ],
      },
    ],
  },
);

/** The settings with which the process that responds was started. */
export default defineRoute(({ settings, catalogue }) =>
  new Elysia().onBeforeHandle(operatorsOnly(catalogue)).get(
    "",
    () => {
      const { title, version } = aboutProject();
      return {
        versions: {
          ...{ warren: packageJson.version, bun: Bun.version, project: version, title },
          ...{ system: `${process.platform} ${process.arch}`, executable: isExecutable },
        },
        settings: settings(),
      };
    },
    {
      response: { 200: Settings },
      detail: {
        tags: ["status"],
        summary: "Show versions and settings",
        description:
          "Returns every variable of the environment with what is in effect in the process that responds. User, password and query of URLs are " +
          "replaced by `***`; of tokens, only their scopes and names are shown.",
      },
    },
  ),
);
