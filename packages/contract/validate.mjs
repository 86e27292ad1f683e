// Validates asyncapi.json and openapi.json: with AsyncAPI's own parser, and with the official schema
// of OpenAPI.
//
//     node packages/contract/validate.mjs [FOLDER]
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import asyncapi from "@asyncapi/parser";
import { Validator } from "@seriousme/openapi-schema-validator";

const WORST_OF_NOTES = 2; // Spectral's severities: 0 is an error, 1 a warning, 2 and 3 are notes

const folder = process.argv[2] ? pathToFileURL(`${process.argv[2]}/`) : new URL("./", import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), "utf8");
const faults = [];

const { document, diagnostics } = await new asyncapi.Parser().parse(read("asyncapi.json"));
for (const { severity, path, message } of diagnostics) {
  if (severity < WORST_OF_NOTES) faults.push(`asyncapi.json: ${path.join("/")}: ${message}`);
}
if (!document && faults.length === 0) faults.push("asyncapi.json: the parser returned no document");

const result = await new Validator().validate(JSON.parse(read("openapi.json")));
for (const { instancePath, message } of result.valid ? [] : result.errors) {
  faults.push(`openapi.json: ${instancePath}: ${message}`);
}

for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
