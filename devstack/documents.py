"""The published documents in packages/contract, made from the code.

python -m devstack.documents           write them
python -m devstack.documents --check   fail where a file is not what the code makes
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from contract.documents.asyncapi import asyncapi
from contract.documents.openapi import openapi
from devstack.processes import ROOT
from devstack.service_schemas import service_schemas

FOLDER: Final = ROOT / "packages" / "contract"

# In this order: the last one contains the schemas of the first.
DOCUMENTS: Final[Mapping[str, Callable[[], Any]]] = {
    "src/contract/documents/service_schemas.json": service_schemas,
    "asyncapi.json": asyncapi,
    "openapi.json": lambda: openapi(service_schemas()),
}


def text_of(name: str) -> str:
    """Return what a file has to contain."""
    return json.dumps(DOCUMENTS[name](), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write or check the files; returns the exit status."""
    parser = argparse.ArgumentParser("python -m devstack.documents", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    is_check = parser.parse_args(arguments).check
    stale = []
    for name in DOCUMENTS:
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text_of(name):
            stale.append(name)
            if not is_check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text_of(name), encoding="utf-8")
                print(f"{path} is written")
    if stale and is_check:
        print(f"{', '.join(stale)}: not what the code makes; run scripts/check", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
