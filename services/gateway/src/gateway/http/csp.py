"""Content Security Policy of the page. Pure."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

WORKER_POLICY: Final = (
    "default-src 'none'; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""The policy of the service worker, which fetches the page and nothing else."""

SCRIPT_URL_POLICY: Final = "pillowcast-worker"
"""The only policy of Trusted Types that the page may create: it makes the worker's address."""


def page_policy(
    *, scripts: Iterable[str], styles: Iterable[str], frame_ancestors: Sequence[str] = ()
) -> str:
    """Return a policy that allows own files, and the given inline scripts and styles.

    It also forbids to parse text as markup or script, which the page never does. Only the address
    of the service worker is made, by SCRIPT_URL_POLICY.
    Sites of `frame_ancestors` may show the page in a frame: `self`, origins, or `*`.
    """
    script_src = " ".join(["'self'", *map(_hash_source, scripts)])
    style_src = " ".join(["'self'", *map(_hash_source, styles)])
    ancestors = " ".join(
        "'self'" if one == "self" else one for one in frame_ancestors or ("'none'",)
    )
    return (
        f"default-src 'none'; script-src {script_src}; style-src {style_src}; "
        "img-src 'self' data:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
        "object-src 'none'; base-uri 'none'; "
        f"form-action 'none'; frame-ancestors {ancestors}; "
        f"require-trusted-types-for 'script'; trusted-types {SCRIPT_URL_POLICY}"
    )


def _hash_source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
