"""Bundler: an ES module and everything that it imports, as one module. Pure.

A page of thirty modules is thirty requests, which takes most of a second on a phone. The modules
are written, tested and served one by one; bundled, each is in a function of its own.
Only lines that import or export are rewritten, and only in the forms that the page's modules use.
Any other form is an error at the start of the gateway and in its tests.
Comments on lines of their own, type casts, indentation and empty lines are removed, because they
are 4 % of the compressed page: no line of a string may begin like a comment, be empty, or depend on
its indentation.
"""

import posixpath
import re
from collections.abc import Mapping
from typing import Final

_FROM: Final = r'from "(?P<path>\.{1,2}/[^"]+)";'
_IMPORT_NAMED: Final = re.compile(rf"import \{{ (?P<names>[^}}]+) \}} {_FROM}")
_IMPORT_DEFAULT: Final = re.compile(rf"import (?P<name>\w+) {_FROM}")
_RE_EXPORT: Final = re.compile(rf"export \{{ (?P<names>[^}}]+) \}} {_FROM}")
_EXPORT: Final = re.compile(
    r"export (?P<rest>(?:async )?(?:function\*?|class|const) (?P<name>\w+).*)"
)
_EXPORT_DEFAULT: Final = re.compile(r"export default (?P<rest>.*)")
_COMMENT: Final = re.compile(
    r"^[ \t]*(?:/\*\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL
)
_TYPE_CAST: Final = re.compile(r"/\*\* @type [^\n]*?\*/ ")


class BundleError(Exception):
    """A module cannot be bundled; the message names the module and the line."""


def bundle(entry: str, modules: Mapping[str, str]) -> str:
    """Return `entry` and its imports as one module, which exports what `entry` exports.

    `modules` are sources by path. Raises BundleError.
    """
    order: list[str] = []
    _visit(entry, modules, order, ())
    return "\n".join(_rewrite(name, modules[name], is_entry=name == entry) for name in order)


def _visit(
    name: str, modules: Mapping[str, str], order: list[str], importers: tuple[str, ...]
) -> None:
    """Append a module to `order` behind everything that it imports."""
    if name in importers:
        raise BundleError(f"{name} imports itself: {' → '.join((*importers, name))}")
    if name in order:
        return
    if name not in modules:
        importer = f"{importers[-1]} imports {name}" if importers else name
        raise BundleError(f"{importer}, which does not exist")
    for line in modules[name].splitlines():
        if found := (
            _IMPORT_NAMED.match(line) or _IMPORT_DEFAULT.match(line) or _RE_EXPORT.match(line)
        ):
            _visit(_resolve(name, found), modules, order, (*importers, name))
    order.append(name)


def _rewrite(name: str, source: str, *, is_entry: bool) -> str:
    """Return the module's code: the entry's as it is, any other's as a function that is called."""
    body: list[str] = []
    exported: list[str] = []
    for number, line in enumerate(_remove_comments(source).splitlines(), start=1):
        if not line.startswith(("import ", "import{", "export ", "export{")):
            body += [line.lstrip(" ")] if line else []
        elif found := _IMPORT_NAMED.fullmatch(line):
            body.append(_destructure(found["names"], _resolve(name, found)))
        elif found := _IMPORT_DEFAULT.fullmatch(line):
            body.append(f"const {found['name']} = {_variable(_resolve(name, found))}.default;")
        elif found := _RE_EXPORT.fullmatch(line):
            module = _variable(_resolve(name, found))
            pairs = [one.split(" as ") for one in found["names"].strip().split(", ")]
            if is_entry:
                names = ", ".join(f"{pair[0]}: $again_{pair[-1]}" for pair in pairs)
                exports = ", ".join(f"$again_{pair[-1]} as {pair[-1]}" for pair in pairs)
                body.append(f"const {{ {names} }} = {module}; export {{ {exports} }};")
            else:
                exported += (f"{pair[-1]}: {module}.{pair[0]}" for pair in pairs)
        elif is_entry and (_EXPORT.fullmatch(line) or _EXPORT_DEFAULT.fullmatch(line)):
            body.append(line)
        elif found := _EXPORT.fullmatch(line):
            body.append(found["rest"])
            exported.append(found["name"])
        elif found := _EXPORT_DEFAULT.fullmatch(line):
            body.append(f"const $default = {found['rest']}")
            exported.append("default: $default")
        else:
            raise BundleError(f"{name}, after {number - 1} lines of code: cannot bundle {line!r}")
    if is_entry:
        return "\n".join(body) + "\n"
    code, exports = "\n".join(body), ", ".join(exported)
    return f"const {_variable(name)} = (() => {{\n{code}\nreturn {{ {exports} }};\n}})();"


def _remove_comments(source: str) -> str:
    return _TYPE_CAST.sub("", _COMMENT.sub("", source))


def _destructure(names: str, module: str) -> str:
    bindings = ", ".join(one.strip().replace(" as ", ": ") for one in names.split(","))
    return f"const {{ {bindings} }} = {_variable(module)};"


def _resolve(name: str, found: re.Match[str]) -> str:
    """Return the path of the module that a line of `name` imports."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), found["path"]))


def _variable(module: str) -> str:
    """Return the name of the constant that holds a module's exports."""
    return "$" + re.sub(r"\W", "_", module.removesuffix(".js"))
