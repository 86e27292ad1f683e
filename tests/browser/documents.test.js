/** The TypeScript of the documents is right by the published types, that of React and Vue included. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);
// Below the project, so that the compiler finds React and Vue.
const FOLDER = new URL("node_modules/.documents/", ROOT);
const CLIENT = "../../services/gateway/src/gateway/static/client/";
const COMPILER = fileURLToPath(new URL("node_modules/typescript/bin/tsc", ROOT));

const OPTIONS = {
  compilerOptions: {
    target: "es2022",
    module: "nodenext",
    lib: ["es2023", "dom", "dom.iterable", "dom.asynciterable"],
    types: [],
    jsx: "react-jsx",
    strict: true,
    noEmit: true,
    allowJs: true,
    skipLibCheck: false,
    paths: {
      pillowcast: [`${CLIENT}types/pillowcast.d.ts`],
      "pillowcast/element": [`${CLIENT}element.d.ts`],
      "pillowcast/element/react": [`${CLIENT}element_react.d.ts`],
      "pillowcast/element/vue": [`${CLIENT}element_vue.d.ts`],
    },
  },
};

/** What no document shows: the types of Vue's templates, and mistakes that must be errors. */
const MORE = {
  "vue.ts": `
    import type { GlobalComponents } from "vue";
    import "pillowcast/element/vue";
    type Props = InstanceType<GlobalComponents["cloud-pillow"]>["$props"];
    export const props: Props = { pillow: "cloud-1", onStatechange: ({ detail }) => console.log(detail.state) };
    // @ts-expect-error an id is a text
    export const wrong: Props = { pillow: 1 };
  `,
  "mistakes.tsx": `
    import "pillowcast/element/react";
    // @ts-expect-error an attribute that it does not have
    export const one = <cloud-pillow pilow="cloud-1" />;
    // @ts-expect-error a state that no pillow has
    export const two = <cloud-pillow onstatechange={({ detail }) => console.log(detail.state === "huging")} />;
    const cloud = document.querySelector("cloud-pillow");
    // @ts-expect-error the state is the pillow's
    if (cloud !== null) cloud.state = "hugging";
  `,
};

test("the blocks of TypeScript compile", () => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const blocks = readdirSync(new URL("docs/", ROOT)).filter((name) => name.endsWith(".md")).flatMap(blocksOf);
  assert.ok(blocks.some(([name]) => name.endsWith(".ts")) && blocks.some(([name]) => name.endsWith(".tsx")));
  for (const [name, source] of [...blocks, ...Object.entries(MORE)]) writeFileSync(new URL(name, FOLDER), `${source}\nexport {};\n`);
  writeFileSync(new URL("package.json", FOLDER), '{"type": "module"}');
  writeFileSync(new URL("tsconfig.json", FOLDER), JSON.stringify(OPTIONS));
  try {
    execFileSync(process.execPath, [COMPILER, "--project", fileURLToPath(FOLDER)], { encoding: "utf8" });
  } catch (error) {
    assert.fail(error.stdout);
  } finally {
    rmSync(FOLDER, { recursive: true, force: true });
  }
});

function blocksOf(document) {
  const text = readFileSync(new URL(`docs/${document}`, ROOT), "utf8");
  return [...text.matchAll(/^```(tsx?)\n(.*?)^```$/gms)].map(([, language, source], index) => [`${document.replace(".md", "")}_${index}.${language}`, source]);
}
