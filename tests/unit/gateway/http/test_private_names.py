"""Short names of private members, in the code that browsers get."""

import re
import subprocess
from pathlib import Path

import pytest

from devstack.node import find_node
from gateway.http.app import STATIC
from gateway.http.private_names import PrivateNameError, shorten_private_names

COUNTER = """export class Counter {
  #count = 0;
  static #made = 0;

  constructor() {
    Counter.#made += 1;
  }

  get #next() {
    return this.#count + 1;
  }

  async #later() {
    return this.#next;
  }

  add = async () => (this.#count = await this.#later());
}
"""


def test_private_names_are_short_and_alike_in_every_class() -> None:
    """The most frequent one is the shortest."""
    made = shorten_private_names({"a.js": COUNTER, "b.js": "class B {\n  #count = 1;\n}\n"})

    assert set(re.findall(r"#(\w+)", made["a.js"])) == {"a", "b", "c", "d"}
    assert made["b.js"] == "class B {\n  #a = 1;\n}\n"
    assert "  get #d() {\n    return this.#a + 1;\n" in made["a.js"]


def test_modules_without_a_class_stay() -> None:
    """Colours and selectors begin with # too."""
    style = "export const STYLE = `\n#count, a.#count { color: #fff; }\n`;\n"

    assert shorten_private_names({"a.js": COUNTER, "style.js": style})["style.js"] == style


@pytest.mark.parametrize("line", ["#count in one;", 'select("#count");', "one[#count];"])
def test_name_that_stands_elsewhere_is_refused(line: str) -> None:
    """It could be a private name or a part of a text."""
    with pytest.raises(PrivateNameError, match=r"a\.js: #count stands neither"):
        shorten_private_names({"a.js": f"{COUNTER}const found = {line}\n"})


def test_result_runs(tmp_path: Path) -> None:
    """And does the same."""
    code = shorten_private_names({"a.js": COUNTER})["a.js"]
    script = tmp_path / "counter.mjs"
    script.write_text(
        f"{code}const one = new Counter(); await one.add(); console.log(await one.add());"
    )

    assert subprocess.check_output([find_node(), script], text=True) == "2\n"


def test_every_module_of_the_page_keeps_the_rule() -> None:
    """All at once, as no bundle has them."""
    modules = {
        path.relative_to(STATIC).as_posix(): path.read_text() for path in STATIC.rglob("*.js")
    }

    made = shorten_private_names(modules)

    assert sum(map(len, made.values())) < sum(map(len, modules.values()))
