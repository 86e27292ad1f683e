"""Base images have versions, packages have hashes, and the commands that tell of them work."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from devstack.processes import ROOT

DOCKERFILE: Final = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IMAGES: Final = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", DOCKERFILE, re.MULTILINE))


def test_every_stage_begins_with_a_versioned_image_another_stage_or_nothing() -> None:
    """No tag that means something else tomorrow."""
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)
    names = {name for _, name in stages}

    for base, name in stages:
        assert base in names | {"scratch"} | {f"${{{image}}}" for image in IMAGES}, name
    for image in IMAGES.values():
        tag = image.rpartition(":")[2]
        assert re.match(r"v?\d+\.\d+", tag), image


def test_nothing_is_copied_from_an_image_that_is_not_a_stage() -> None:
    """`COPY --from=registry/image:latest` would be a base image too."""
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE))

    assert set(re.findall(r"--from=(\S+)", DOCKERFILE)) <= stages


def test_compose_builds_every_image_and_passes_the_digests_on() -> None:
    """`image:` with a tag would not be pinned."""
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")

    assert "image:" not in compose
    assert compose.count("build: {") == compose.count("args: *images}")
    assert re.findall(r"^  (\w+_IMAGE):$", compose, re.MULTILINE) == list(IMAGES)


def test_every_base_image_has_a_digest_of_the_version_in_the_dockerfile() -> None:
    """A version that is raised in one place only would be built from the old image."""
    lines = (ROOT / "deploy/images/digests.env").read_text(encoding="utf-8").splitlines()
    pinned = [line.split("@", 1) for line in lines if not line.startswith("#")]

    assert [image for image, _ in pinned] == [f"{name}={image}" for name, image in IMAGES.items()]
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for _, digest in pinned)


def test_uv_is_installed_by_hash() -> None:
    """As every package that it installs."""
    requirement, *hashes = (ROOT / "deploy/images/uv.txt").read_text().split(" \\\n")

    assert re.fullmatch(r"uv==[\d.]+", requirement)
    assert len(hashes) > 5
    assert "pip install --no-cache-dir --require-hashes" in DOCKERFILE
    assert "--require-hashes" in (ROOT / "scripts/setup").read_text()


def pin_images(folder: Path, answer: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/pin-images of a copy of the repository, with a docker that answers so."""
    for name in ("scripts/pin-images", "Dockerfile"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "deploy/images").mkdir(parents=True, exist_ok=True)
    (folder / "docker").write_text(f"#!/bin/sh\n{answer}\n")
    (folder / "docker").chmod(0o755)
    return subprocess.run(
        ["bash", str(folder / "scripts/pin-images")],
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_digests_of_all_base_images_are_written(tmp_path: Path) -> None:
    """Beside the version, for people."""
    done = pin_images(tmp_path, 'for image; do :; done; echo "sha256:$(echo $image | md5sum)"')

    lines = (tmp_path / "deploy/images/digests.env").read_text().splitlines()
    assert done.returncode == 0, done.stderr
    assert [line.partition("@sha256:")[0] for line in lines[1:]] == [
        f"{name}={image}" for name, image in IMAGES.items()
    ]


@pytest.mark.parametrize("answer", ["exit 1", "echo nonsense"])
def test_without_a_digest_nothing_is_written(tmp_path: Path, answer: str) -> None:
    """And the image is named."""
    done = pin_images(tmp_path, answer)

    assert done.returncode == 1
    assert IMAGES["PYTHON_IMAGE"] in done.stderr
    assert not (tmp_path / "deploy/images/digests.env").exists()


def test_no_image_has_the_history_of_the_sources() -> None:
    """The build's context has what is listed, and neither `.git` nor `.env`."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    listed = [line for line in lines if line and not line.startswith("#")]

    assert listed[0] == "*"
    assert not [line for line in listed if line.startswith(("!.", "!*"))]


@pytest.fixture(scope="module")
def boms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The documents that scripts/sbom writes, by their kind."""
    folder = tmp_path_factory.mktemp("sbom")
    subprocess.run(
        ["bash", str(ROOT / "scripts/sbom"), str(folder)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return {path.name.split(".")[0]: json.loads(path.read_text()) for path in folder.iterdir()}


def test_a_bill_of_materials_is_valid_cyclonedx(boms: dict[str, Any]) -> None:
    """Every component has a package URL, and every dependency is a component."""
    for kind, bom in boms.items():
        components = [bom["metadata"]["component"], *bom["components"]]
        references = [one["bom-ref"] for one in components]
        purls = [one["purl"] for one in bom["components"] if "purl" in one]
        depended = {
            name for one in bom["dependencies"] for name in (one["ref"], *one.get("dependsOn", ()))
        }

        assert (bom["bomFormat"], bom["specVersion"], bom["version"]) == ("CycloneDX", "1.5", 1)
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bom["serialNumber"]), kind
        assert len(references) == len(set(references)), kind
        assert all(re.match(r"pkg:(pypi|npm)/[^@]+@", purl) for purl in purls), kind
        assert len(purls) > len(bom["components"]) / 2, kind
        assert depended <= set(references), kind


def test_a_bill_of_materials_names_what_a_services_image_has(boms: dict[str, Any]) -> None:
    """And not what only tests need."""
    names = {
        kind: {component["name"] for component in bom["components"]} for kind, bom in boms.items()
    }

    assert names.keys() == {
        "poller", "gateway", "notifier", "recorder", "simulator", "ops",
        "development", "javascript",
    }  # fmt: skip
    assert {bom["bomFormat"] for bom in boms.values()} == {"CycloneDX"}
    assert "azure-storage-queue" in names["poller"]
    assert "azure-storage-queue" not in names["gateway"]
    for service in ("poller", "gateway", "notifier", "recorder", "simulator", "ops"):
        assert "paho-mqtt" in names[service]
        assert "pytest" not in names[service]
    assert "pytest" in names["development"]
    assert "azurite" in names["javascript"]
