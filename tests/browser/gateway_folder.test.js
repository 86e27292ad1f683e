import assert from "node:assert/strict";
import { test } from "node:test";

import { gatewayFolder } from "../../services/gateway/src/gateway/static/page/gateway_folder.js";

test("the gateway is the folder of the page, with and without its last slash", () => {
  for (const [page, folder] of [
    ["https://host/", "https://host/"],
    ["https://host/pillows/?pillow=a#b", "https://host/pillows/"],
    ["https://host/pillows?pillow=a#b", "https://host/pillows/"],
    ["https://host/a/pillows", "https://host/a/pillows/"],
  ]) {
    assert.equal(gatewayFolder(new URL(page)).href, folder);
  }
});
