"""Linking: a module and all that it imports, as one module. Pure.

A page of thirty modules is thirty requests, and on a phone that is most of a second. They are
written, tested and served one by one; linked as they are, each in a function of its own, they are
one request. Nothing is rewritten but the lines that import and export, and only in the forms that
the page's modules use: any other is an error, at the start of the gateway and in its tests.
Comments that have lines of their own stay behind, so no line of a text may begin like one.
"""

import posixpath
import re
from collections.abc import Mapping

_FROM = r'from "(?P<path>\.{1,2}/[^"]+)";'
_NAMED = re.compile(rf"import \{{ (?P<names>[^}}]+) \}} {_FROM}")
_DEFAULT = re.compile(rf"import (?P<name>\w+) {_FROM}")
_AGAIN = re.compile(rf"export \{{ (?P<names>[^}}]+) \}} {_FROM}")
_OWN = re.compile(r"export (?P<rest>(?:async )?(?:function\*?|class|const) (?P<name>\w+).*)")
_OWN_DEFAULT = re.compile(r"export default (?P<rest>.*)")
_COMMENT = re.compile(
    r"^[ \t]*(?:/\*\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL
)


class LinkError(Exception):
    """A module that cannot be linked: which one, and the line."""


def link(entry: str, modules: Mapping[str, str]) -> str:
    """Link `entry` and what it imports; the result exports what `entry` exports."""
    order: list[str] = []
    _visit(entry, modules, order, ())
    return "\n".join(_linked(name, modules[name], is_entry=name == entry) for name in order)


def _visit(name: str, modules: Mapping[str, str], order: list[str], above: tuple[str, ...]) -> None:
    if name in above:
        raise LinkError(f"{name} imports itself: {' → '.join((*above, name))}")
    if name in order:
        return
    if name not in modules:
        raise LinkError(f"{above[-1] if above else 'nobody'} imports {name}, which is not there")
    for line in modules[name].splitlines():
        if found := _NAMED.match(line) or _DEFAULT.match(line) or _AGAIN.match(line):
            _visit(_target(name, found), modules, order, (*above, name))
    order.append(name)


def _linked(name: str, source: str, *, is_entry: bool) -> str:
    body: list[str] = []
    exported: list[str] = []
    for number, line in enumerate(_COMMENT.sub("", source).splitlines(), start=1):
        if not line.startswith(("import ", "import{", "export ", "export{")):
            body.append(line)
        elif found := _NAMED.fullmatch(line):
            body.append(_taken(found["names"], _target(name, found)))
        elif found := _DEFAULT.fullmatch(line):
            body.append(f"const {found['name']} = {_variable(_target(name, found))}.default;")
        elif found := _AGAIN.fullmatch(line):
            module = _variable(_target(name, found))
            pairs = [one.split(" as ") for one in found["names"].strip().split(", ")]
            if is_entry:
                taken = ", ".join(f"{pair[0]}: $again_{pair[-1]}" for pair in pairs)
                given = ", ".join(f"$again_{pair[-1]} as {pair[-1]}" for pair in pairs)
                body.append(f"const {{ {taken} }} = {module}; export {{ {given} }};")
            else:
                exported += (f"{pair[-1]}: {module}.{pair[0]}" for pair in pairs)
        elif is_entry and (_OWN.fullmatch(line) or _OWN_DEFAULT.fullmatch(line)):
            body.append(line)
        elif found := _OWN.fullmatch(line):
            body.append(found["rest"])
            exported.append(found["name"])
        elif found := _OWN_DEFAULT.fullmatch(line):
            body.append(f"const $default = {found['rest']}")
            exported.append("default: $default")
        else:
            raise LinkError(f"{name}, after {number - 1} lines of code: cannot link {line!r}")
    if is_entry:
        return "\n".join(body) + "\n"
    inside = "\n".join(body)
    given = ", ".join(exported)
    return f"const {_variable(name)} = (() => {{\n{inside}\nreturn {{ {given} }};\n}})();"


def _taken(names: str, module: str) -> str:
    taken = ", ".join(one.strip().replace(" as ", ": ") for one in names.split(","))
    return f"const {{ {taken} }} = {_variable(module)};"


def _target(name: str, found: re.Match[str]) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), found["path"]))


def _variable(module: str) -> str:
    return "$" + re.sub(r"\W", "_", module.removesuffix(".js"))
