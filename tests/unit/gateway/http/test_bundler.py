"""Bundled modules behave as separate ones, and unsupported forms are errors."""

import subprocess
from pathlib import Path

import pytest

from devstack.node import find_node
from gateway.http.bundler import BundleError, bundle

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


def test_bundled_modules_behave_as_separate_ones(tmp_path: Path) -> None:
    """Names that two modules share do not collide."""
    tmp_path.joinpath("bundled.mjs").write_text(bundle("main.js", MODULES))
    program = (
        "import('./bundled.mjs').then((m) => console.log(JSON.stringify([m.twice(), m.start])))"
    )
    result = subprocess.run(
        [find_node(), "-e", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert result.stdout.strip() == '[[28,"export const x = 1;",10],11]'


def test_modules_with_unique_names_share_a_scope() -> None:
    """An alias is declared; a module with a name of another one is in a function."""
    modules = {
        "main.js": 'import { a as c, b } from "./a.js";\nconsole.log(c, b);\n',
        "a.js": 'import { x } from "./x.js";\nexport const a = x;\nexport const b = 2;\n',
        "x.js": "export const x = 1;\nconst c = 0;\n",
    }

    assert bundle("main.js", modules) == (
        "const $x=(()=>{const x=1;const c=0;return{x};})();\n"
        "const{x}=$x;const a=x;const b=2;\nconst c=a;console.log(c,b);"
    )


def test_comments_on_lines_of_their_own_are_removed() -> None:
    """Comments behind code are kept."""
    bundled = bundle("main.js", MODULES)

    assert "The sum" not in bundled
    assert "Counts;" not in bundled
    assert "Nobody's" not in bundled
    assert "// its own" in bundled


def test_indentation_empty_lines_and_type_casts_are_removed() -> None:
    """They would be 4 % of the compressed page."""
    source = "if (a) {\n\n  b = /** @type {string} */ (c);\n}\n"

    assert bundle("main.js", {"main.js": source}) == "if(a){b=(c);}\n"


@pytest.mark.parametrize(
    ("line", "bundled"),
    [
        ("a = b - -c + +d;", "a=b - -c + +d;"),
        ('a = "b = c" ?? "d \\" = e";', 'a="b = c"??"d \\" = e";'),
        ("a = `b = ${c = d}` + e ? f : g;", "a=`b = ${c = d}` + e?f:g;"),
        ("a = / = /;\nb = c;", "a = / = /;\nb=c;"),
        ("a = 'b = c';\nd(e, {\nf,\n})", "a = 'b = c';\nd(e,{f,})"),
        ('a = "/" ?? "\'";\nb = c', 'a="/"??"\'";b=c'),
        ("a = `b\n = `;\nc = d;", "a = `b\n= `;\nc=d;"),
        ('a = "`" ?? (b);', 'a="`"??(b);'),
    ],
)
def test_spaces_are_removed_beside_punctuation_only(line: str, bundled: str) -> None:
    """Not in strings and templates, nor where a regular expression could be."""
    assert bundle("main.js", {"main.js": f"{line}\n"}).rstrip("\n") == bundled


def test_a_template_without_an_end_is_an_error() -> None:
    """Or what looks like one: everything behind it would be taken for text."""
    with pytest.raises(BundleError, match=r"main\.js: a template does not end"):
        bundle("main.js", {"main.js": "a = /`/;\n"})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('import "./lib/base.js";', "cannot bundle"),
        ('import * as all from "./lib/base.js";', "cannot bundle"),
        ('export * from "./lib/base.js";', "cannot bundle"),
        ("export let counter = 0;", "cannot bundle"),
        ('import { base } from "somewhere";', "cannot bundle"),
        ('import { x } from "./nowhere.js";', "nowhere.js, which does not exist"),
        ('import { sum } from "./main.js";', "main.js imports itself"),
    ],
)
def test_an_unsupported_form_is_an_error_that_names_it(line: str, message: str) -> None:
    """The module and the line."""
    modules = {**MODULES, "main.js": line + "\n", "names.js": line + "\n"}
    with pytest.raises(BundleError, match=message):
        bundle("main.js", {**MODULES, "main.js": line + "\n"} if "sum" not in line else modules)
