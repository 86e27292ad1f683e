"""Linked modules do what they do apart, and what cannot be linked is said."""

import subprocess
from pathlib import Path

import pytest

from devstack.node import find_node
from gateway.http.bundler import LinkError, link

MODULES = {
    "main.js": """\
import { Counter as Tally, start } from "./lib/counter.js";
import names from "./names.js";
export { start } from "./lib/counter.js";

/** The sum. */
export const sum = new Tally(start).add(2) + names.one;
const again = "export const x = 1;";
export function twice() {
  return [sum * 2, again, base];
}
import { base } from "./lib/base.js";
""",
    "lib/counter.js": """\
/**
 * Counts; `/** ` begins no comment here.
 */
import { base } from "./base.js";
import names from "../names.js";
export { base as foundation, more } from "./base.js";

export const start = base + names.one;
export class Counter {
  #count;
  constructor(from) {
    // Nobody's but ours.
    this.#count = from;
  }
  add(number) {
    return (this.#count += number);
  }
}
""",
    "lib/base.js": "export const base = 10;\nexport const more = 1;\nconst names = 0; // its own\n",
    "names.js": 'export default {"one": 1};\n',
}


def test_linked_modules_do_what_they_do_apart(tmp_path: Path) -> None:
    """Names that two of them have do not meet."""
    tmp_path.joinpath("linked.mjs").write_text(link("main.js", MODULES))
    program = (
        "import('./linked.mjs').then((m) => console.log(JSON.stringify([m.twice(), m.start])))"
    )
    said = subprocess.run(
        [find_node(), "-e", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert said.stdout.strip() == '[[28,"export const x = 1;",10],11]'


def test_comments_with_lines_of_their_own_stay_behind() -> None:
    """Those in lines of code travel."""
    linked = link("main.js", MODULES)

    assert "The sum" not in linked
    assert "Counts;" not in linked
    assert "Nobody's" not in linked
    assert "// its own" in linked


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('import "./lib/base.js";', "cannot link"),
        ('import * as all from "./lib/base.js";', "cannot link"),
        ('export * from "./lib/base.js";', "cannot link"),
        ("export let counter = 0;", "cannot link"),
        ('import { base } from "somewhere";', "cannot link"),
        ('import { x } from "./nowhere.js";', "nowhere.js, which is not there"),
        ('import { sum } from "./main.js";', "main.js imports itself"),
    ],
)
def test_what_cannot_be_linked_is_said(line: str, said: str) -> None:
    """With the module and the line."""
    modules = {**MODULES, "main.js": line + "\n", "names.js": line + "\n"}
    with pytest.raises(LinkError, match=said):
        link("main.js", {**MODULES, "main.js": line + "\n"} if "sum" not in line else modules)
