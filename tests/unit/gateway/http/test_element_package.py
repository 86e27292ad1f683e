"""The element in the npm package: its files are made of the page's modules by prepack.mjs."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from contract.states import STATES
from devstack.node import find_node
from devstack.processes import ROOT
from gateway.http.texts import read_texts, text_modules

CLIENT = ROOT / "services/gateway/src/gateway/static/client"
LOADED = """
import { CloudPillow, define } from "pillowcast/element";
define("https://pillows.example");
const isServer = globalThis.customElements === undefined;
console.log(JSON.stringify([isServer, CloudPillow.observedAttributes]));
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the package as npm installs it."""
    folder = tmp_path_factory.mktemp("project") / "node_modules" / "pillowcast"
    shutil.copytree(CLIENT, folder)
    subprocess.run([find_node(), CLIENT / "prepack.mjs", folder / "element"], check=True)
    return folder


def exported(module: Path) -> object:
    """Return the value that a module exports."""
    return _value(module.read_text(encoding="utf-8"))


def _value(source: str) -> object:
    return json.loads(source.removeprefix("export default ").removesuffix(";\n"))


def test_a_server_may_import_it(package: Path) -> None:
    """Where there are no elements, it defines nothing."""
    program = package.parent.parent / "program.mjs"
    program.write_text(LOADED)
    result = subprocess.run([find_node(), program], check=True, capture_output=True, text=True)

    is_server, attributes = json.loads(result.stdout)
    assert is_server
    manifest = json.loads(package.joinpath("custom-elements.json").read_text(encoding="utf-8"))
    (element,) = manifest["modules"][0]["declarations"]
    assert sorted(one["name"] for one in element["attributes"]) == sorted(attributes)


def test_its_sentences_and_colours_are_those_of_the_gateway(package: Path) -> None:
    """The gateway makes them of the same declarations."""
    english = text_modules(read_texts())["texts/en.js"].decode()

    assert exported(package / "element/english.js") == _value(english)
    colors = {name: style.color for name, style in STATES.items()}
    assert exported(package / "element/state_colors.js") == colors


def test_every_import_is_in_the_package(package: Path) -> None:
    """And the modules of the cloud are named as in the page."""
    for module in package.joinpath("element").glob("*.js"):
        for path in re.findall(r'from "([^"]+)"', module.read_text(encoding="utf-8")):
            assert module.parent.joinpath(path).exists(), f"{module.name} imports {path}"


def test_the_manifest_names_the_parts_and_properties_of_the_element(package: Path) -> None:
    """Those that its modules have."""
    manifest = json.loads(package.joinpath("custom-elements.json").read_text(encoding="utf-8"))
    (element,) = manifest["modules"][0]["declarations"]
    source = "".join(
        package.joinpath("element", name).read_text(encoding="utf-8")
        for name in ("element.js", "element_style.js")
    )
    parts = re.findall(r'createPart\("([a-z]+)"', source)
    properties = {*re.findall(r"--cloud-pillow-[a-z]+", source)}

    assert sorted(one["name"] for one in element["cssParts"]) == sorted(parts)
    states = {f"--cloud-pillow-{name}" for name in STATES}
    assert {one["name"] for one in element["cssProperties"]} == properties | states
