/// <reference path="../assets.d.ts" />
// Loaded at the first request for the console, so that the start pays nothing for it.
import { basename } from "node:path";
import sans from "@fontsource-variable/geist/files/geist-latin-wght-normal.woff2" with { type: "file" };
import mono from "@fontsource-variable/geist-mono/files/geist-mono-latin-wght-normal.woff2" with { type: "file" };
import type { HTMLBundle } from "bun";
import { Fixed } from "../http/compression";
import page from "./page/index.html";

/** A file of the console's page. */
export interface PageFile {
  readonly type: string;
  readonly source: Fixed;
  /** True if the name of the file changes with its content. */
  readonly isHashed: boolean;
  /** True if compression makes it smaller. */
  readonly isText: boolean;
}

export interface PageFiles {
  /** The page itself. Its links are relative, so that it works below any path. */
  readonly html: string;
  /** The other files, by name. */
  readonly files: ReadonlyMap<string, PageFile>;
}

interface Built {
  readonly name: string;
  readonly type: string;
  readonly isPage: boolean;
  readonly bytes: () => Promise<Uint8Array<ArrayBuffer>>;
}

let loading: Promise<PageFiles> | undefined;

/** Resolves with the files of the page: those that an executable contains, or else new ones from the sources, built at the first call. */
export function loadPage(): Promise<PageFiles> {
  loading ??= load();
  loading.catch(() => {
    loading = undefined;
  });
  return loading;
}

async function load(): Promise<PageFiles> {
  const { index, files } = page as HTMLBundle;
  const all = files ? files.map(embedded(index)) : await built(index);
  const html = all.find(({ isPage }) => isPage);
  if (!html) throw new Error("The console was built without its page");
  const others = all.filter((one) => one !== html);
  const text = new TextDecoder().decode(await html.bytes());
  return {
    // An executable links its files with absolute paths.
    html: text.replaceAll(/(href|src)="\/(?!\/)/g, '$1="./'),
    files: new Map<string, PageFile>([
      ...others.map(({ name, type, bytes }) => [name, { type, source: new Fixed(bytes), isHashed: true, isText: true }] as const),
      ["geist.woff2", font(sans)],
      ["geist-mono.woff2", font(mono)],
    ]),
  };
}

function embedded(index: string) {
  return ({ path, headers }: NonNullable<HTMLBundle["files"]>[number]): Built => ({
    name: basename(path),
    type: headers["content-type"],
    isPage: path === index,
    bytes: () => Bun.file(path).bytes(),
  });
}

async function built(index: string): Promise<Built[]> {
  const { outputs } = await Bun.build({ entrypoints: [index], minify: true, jsx: { development: false } });
  return outputs.map((output) => ({
    name: basename(output.path),
    type: output.type,
    isPage: output.path.endsWith(".html"),
    bytes: async () => new Uint8Array(await output.arrayBuffer()),
  }));
}

function font(path: string): PageFile {
  return { type: "font/woff2", source: new Fixed(() => Bun.file(path).bytes()), isHashed: false, isText: false };
}
