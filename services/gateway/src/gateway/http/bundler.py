"""Bundler: an ES module and everything that it imports, as one module. Pure.

A page of thirty modules is thirty requests, which takes most of a second on a phone. The modules
are written, tested and served one by one. Bundled, a module whose names occur in no other one is
put into the common scope; any other one is in a function of its own. A function around each module
would be 4 % of the compressed page.
Only lines that import or export are rewritten, and only in the forms that the page's modules use.
Any other form is an error at the start of the gateway and in its tests.
Comments on lines of their own, type casts, indentation, empty lines, and spaces and ends of lines
beside punctuation are removed, because they are 7 % of the compressed page: no line of a string may
begin like a comment, be empty, or depend on its indentation. Spaces stay in strings, in templates,
and on a line with a slash, which could be a regular expression. Private members have short names.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import Final

from gateway.http.private_names import PrivateNameError, shorten_private_names

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
_DECLARATION: Final = re.compile(
    r"^(?:export )?(?:async )?(?:function\*?|class|const|let) (?P<name>\w+)", re.MULTILINE
)
_NOT_HOISTED: Final = re.compile(r"^(?:export default|export \{|(?:const|let) [\[{])", re.MULTILINE)
_SPACES: Final = re.compile(r" +(?=[=!<>&|?:,{}();*])|(?<=[=!<>&|?:,{}();*]) +")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_MAY_BE_PATTERN: Final = re.compile(r"['/]")
_STRING: Final = re.compile(r'("(?:[^"\\]|\\.)*"|`[^`]*`)')
_TYPE_CAST: Final = re.compile(r"/\*\* @type [^\n]*?\*/ ")


class BundleError(Exception):
    """A module cannot be bundled; the message names the module and the line."""


def bundle(entry: str, modules: Mapping[str, str]) -> str:
    """Return `entry` and its imports as one module, which exports what `entry` exports.

    `modules` are sources by path. Raises BundleError.
    """
    order: list[str] = []
    _visit(entry, modules, order, ())
    try:
        sources = shorten_private_names({name: _remove_comments(modules[name]) for name in order})
    except PrivateNameError as error:
        raise BundleError(str(error)) from error
    hoisted = _hoisted(entry, sources)
    return "\n".join(
        _remove_spaces(name, _rewrite(name, sources, hoisted, is_entry=name == entry))
        for name in order
    )


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


def _hoisted(entry: str, sources: Mapping[str, str]) -> frozenset[str]:
    """Return the modules that are put into the common scope."""
    hoisted = {name for name in sources if name != entry and not _NOT_HOISTED.search(sources[name])}
    while True:
        scope = {*hoisted, entry}
        names = {name: _top_level_names(name, sources[name], hoisted) for name in scope}
        count = Counter(one for several in names.values() for one in several)
        colliding = {name for name in hoisted if any(count[one] > 1 for one in names[name])}
        if not colliding:
            return frozenset(hoisted)
        # What a module imports from these is declared anew, which may collide with other names.
        hoisted -= colliding


def _top_level_names(name: str, source: str, hoisted: Set[str]) -> set[str]:
    """Return the names that a module would declare in the common scope."""
    names = {found["name"] for found in _DECLARATION.finditer(source)}
    for line in source.splitlines():
        if found := _IMPORT_NAMED.fullmatch(line):
            pairs = _pairs(found["names"])
            is_hoisted = _resolve(name, found) in hoisted
            names |= {alias for original, alias in pairs if alias != original or not is_hoisted}
        elif found := _IMPORT_DEFAULT.fullmatch(line):
            names.add(found["name"])
    return names


def _pairs(names: str) -> list[tuple[str, str]]:
    """Return the names in the braces of an import or export, each with its alias or itself."""
    split = [one.strip().split(" as ") for one in names.split(",")]
    return [(one[0], one[-1]) for one in split]


def _rewrite(name: str, sources: Mapping[str, str], hoisted: Set[str], *, is_entry: bool) -> str:
    """Return the module's code; that of a module which is not hoisted is a function's body."""
    body: list[str] = []
    exported: list[str] = []
    for number, line in enumerate(sources[name].splitlines(), start=1):
        if not line.startswith(("import ", "import{", "export ", "export{")):
            body += [line.lstrip(" ")] if line else []
        elif found := _IMPORT_NAMED.fullmatch(line):
            body += _import(_pairs(found["names"]), _resolve(name, found), hoisted)
        elif found := _IMPORT_DEFAULT.fullmatch(line):
            body.append(f"const {found['name']} = {_variable(_resolve(name, found))}.default;")
        elif found := _RE_EXPORT.fullmatch(line):
            target, pairs = _resolve(name, found), _pairs(found["names"])
            scope = "" if target in hoisted else f"{_variable(target)}."
            if is_entry:
                names = "".join(f"const $again_{alias} = {scope}{one};" for one, alias in pairs)
                exports = ", ".join(f"$again_{alias} as {alias}" for _, alias in pairs)
                body.append(f"{names} export {{ {exports} }};")
            else:
                exported += (f"{alias}: {scope}{one}" for one, alias in pairs)
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
    if is_entry or name in hoisted:
        return "\n".join(body) + ("\n" if is_entry else "")
    code, exports = "\n".join(body), ", ".join(exported)
    return f"const {_variable(name)} = (() => {{\n{code}\nreturn {{ {exports} }};\n}})();"


def _remove_comments(source: str) -> str:
    return _TYPE_CAST.sub("", _COMMENT.sub("", source))


def _remove_spaces(name: str, code: str) -> str:
    """Remove spaces and ends of lines beside punctuation.

    + and - keep their spaces, because `a - -b` needs them.
    """
    pieces: list[str] = []
    is_in_template = False
    for line in code.split("\n"):
        ticks = (line if is_in_template else _QUOTED.sub("", line)).count("`")
        if is_in_template or ticks not in (0, 2) or _MAY_BE_PATTERN.search(_STRING.sub("", line)):
            pieces.append(f"{line}\n")
        else:
            # Every second part is a string.
            parts = _STRING.split(line)
            parts[::2] = [_SPACES.sub("", one) for one in parts[::2]]
            pieces += [*parts, "" if line.endswith(("{", ";", ",")) else "\n"]
        is_in_template ^= ticks % 2 == 1
    if is_in_template:
        raise BundleError(
            f"{name}: a template does not end, or a regular expression has a backtick"
        )
    return "".join(pieces).removesuffix("\n")


def _import(pairs: Sequence[tuple[str, str]], module: str, hoisted: Set[str]) -> list[str]:
    """Return the declarations for an import; the names of a hoisted module are in scope."""
    if module in hoisted:
        return [f"const {alias} = {one};" for one, alias in pairs if one != alias]
    bindings = ", ".join(one if one == alias else f"{one}: {alias}" for one, alias in pairs)
    return [f"const {{ {bindings} }} = {_variable(module)};"]


def _resolve(name: str, found: re.Match[str]) -> str:
    """Return the path of the module that a line of `name` imports."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), found["path"]))


def _variable(module: str) -> str:
    """Return the name of the constant that holds a module's exports."""
    return "$" + re.sub(r"\W", "_", module.removesuffix(".js"))
