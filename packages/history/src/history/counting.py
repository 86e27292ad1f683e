"""Counting: the statements that count episodes where they lie. Each is made once.

SQLite walks spans, and for each the range of its episodes, in the order in which the statement
names them. PostgreSQL would rather compare every span with every episode of a pillow, for what it
takes to be few of both; a lateral subquery leaves it no choice.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Integer,
    ScalarSelect,
    Select,
    Table,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)

from history.hugs import HUGGING
from history.quarters import Part
from history.schema import EPISODES, PILLOWS, TALLIES

_PILLOW_ID: Final = bindparam("pillow_id", type_=Integer)
_FROM_US: Final = bindparam("from_us", type_=BigInteger)
_UNTIL_US: Final = bindparam("until_us", type_=BigInteger)
_FIELDS: Final = ("number", "from_us", "to_us")


@cache
def tallies_statement(dialect: str) -> CompoundSelect[Any]:
    """Return the statement that counts the episodes of a pillow in spans.

    Its parameters are `pillow_id` and those of `bounds`. Its rows are the number of a span, a
    state, and the fields of a tally; a span may have several rows of a state. Spans may overlap.
    """
    if dialect == "sqlite":
        span, known = _sqlite_parts("counted"), _sqlite_parts("known")
        tallied = select(known.c.number, *_tallied_by_state()).where(*_begin_in(known, TALLIES))
        by_state = tallied.group_by(known.c.number, TALLIES.c.state)
        return union_all(_began_in(span), _reach_into(span), by_state)
    span, known = _postgresql_parts("counted"), _postgresql_parts("known")
    began = _began_in_by_state(span).lateral("began")
    before = _last_before_by_row(span).lateral("before")
    by_state = select(*_tallied_by_state()).where(*_begin_in(known, TALLIES))
    tallied_in = by_state.group_by(TALLIES.c.state).lateral("tallied")
    reach_us = func.least(before.c.ended_us, span.c.to_us) - span.c.from_us
    return union_all(
        select(span.c.number, *began.c).select_from(span.join(began, true())),
        select(span.c.number, before.c.state, literal(0), reach_us, literal(0))
        .select_from(span.join(before, true()))
        .where(before.c.ended_us > span.c.from_us),
        select(known.c.number, *tallied_in.c).select_from(known.join(tallied_in, true())),
    )


def bounds(dialect: str, counted: Sequence[Part], known: Sequence[Part]) -> dict[str, Any]:
    """Return the parameters of `tallies_statement`: parts to count, and parts with tallies.

    As values of a statement, a thousand spans would take 50 ms of the event loop's time.
    """
    if dialect == "sqlite":
        return {"counted": json.dumps(counted), "known": json.dumps(known)}
    return {
        f"{name}_{field}": [part[place] for part in parts]
        for name, parts in (("counted", counted), ("known", known))
        for place, field in enumerate(_FIELDS)
    }


@cache
def hugs_statement(dialect: str) -> Select[Any]:
    """Return the statement that counts the hugs of every pillow between `from_us` and `until_us`.

    Its rows are a pillow and the fields of its hugs. A hug reaches into the time if it is the last
    episode before.
    """
    columns = EPISODES.c
    is_here = columns.began_us >= _FROM_US
    length_us = case((is_here, columns.ended_us - columns.began_us), else_=0)
    counted = (
        func.sum(case((is_here, 1), else_=0)).label("count"),
        func.max(columns.ended_us).label("last_us"),
        func.max(length_us).label("longest_us"),
    )
    within = (
        columns.pillow_id == PILLOWS.c.id,
        columns.began_us >= func.coalesce(_last_before(PILLOWS.c.id, _FROM_US), _FROM_US),
        columns.began_us < _UNTIL_US,
        columns.state == HUGGING,
        or_(is_here, columns.ended_us > _FROM_US),
    )
    if dialect == "sqlite":
        return select(PILLOWS.c.name, *counted).where(*within).group_by(PILLOWS.c.id)
    hugs = select(*counted).where(*within).correlate(PILLOWS).lateral("hugs")
    whole = PILLOWS.join(hugs, true())
    found = select(PILLOWS.c.name, hugs.c.count, hugs.c.last_us, hugs.c.longest_us)
    return found.select_from(whole).where(hugs.c.last_us.is_not(None))


def _sqlite_parts(name: str) -> FromClause:
    each = func.json_each(bindparam(name)).table_valued("value", name=f"each_{name}")
    fields = [
        func.json_extract(each.c.value, f"$[{place}]").label(field)
        for place, field in enumerate(_FIELDS)
    ]
    return select(*fields).cte(name).prefix_with("MATERIALIZED")


def _postgresql_parts(name: str) -> FromClause:
    given = [bindparam(f"{name}_{field}", type_=ARRAY(BigInteger)) for field in _FIELDS]
    rows = func.unnest(*given).table_valued(*_FIELDS).render_derived(f"each_{name}")
    return select(rows).cte(name)


def _tallied_by_state() -> Sequence[ColumnElement[Any]]:
    columns = TALLIES.c
    return (
        columns.state,
        func.sum(columns.episodes).label("episodes"),
        func.sum(columns.spent_us).label("spent_us"),
        func.max(columns.longest_us).label("longest_us"),
    )


def _began_in(span: FromClause) -> Select[Any]:
    """Return the tallies of the episodes that began in each span."""
    counted = select(span.c.number, *_tally_of(span)).where(*_begin_in(span, EPISODES))
    return counted.group_by(span.c.number, EPISODES.c.state)


def _began_in_by_state(span: FromClause) -> Select[Any]:
    """Return the tallies of the episodes that began in a span."""
    return select(*_tally_of(span)).where(*_begin_in(span, EPISODES)).group_by(EPISODES.c.state)


def _tally_of(span: FromClause) -> Sequence[ColumnElement[Any]]:
    columns = EPISODES.c
    until_us = case((columns.ended_us < span.c.to_us, columns.ended_us), else_=span.c.to_us)
    return (
        columns.state,
        func.count().label("episodes"),
        func.sum(until_us - columns.began_us).label("spent_us"),
        func.max(columns.ended_us - columns.began_us).label("longest_us"),
    )


def _begin_in(span: FromClause, table: Table) -> Sequence[ColumnElement[bool]]:
    """Return the conditions of the pillow's rows of a table that begin in a span."""
    columns = table.c
    return (
        columns.pillow_id == _PILLOW_ID,
        columns.began_us >= span.c.from_us,
        columns.began_us < span.c.to_us,
    )


def _reach_into(span: FromClause) -> Select[Any]:
    """Return the tallies of the episodes that reach into each span.

    Episodes do not overlap, so only the last one before a span can reach into it.
    """
    columns = EPISODES.c
    until_us = case((columns.ended_us < span.c.to_us, columns.ended_us), else_=span.c.to_us)
    return select(
        span.c.number, columns.state, literal(0), until_us - span.c.from_us, literal(0)
    ).where(
        columns.pillow_id == _PILLOW_ID,
        columns.began_us == _last_before(_PILLOW_ID, span.c.from_us),
        columns.ended_us > span.c.from_us,
    )


def _last_before_by_row(span: FromClause) -> Select[Any]:
    columns = EPISODES.c
    return (
        select(columns.state, columns.ended_us)
        .where(columns.pillow_id == _PILLOW_ID, columns.began_us < span.c.from_us)
        .order_by(columns.began_us.desc())
        .limit(1)
    )


def _last_before(pillow_id: Any, at_us: Any) -> ScalarSelect[int]:
    """Return when the last episode of a pillow before an instant began."""
    before = EPISODES.alias("before")
    return (
        select(func.max(before.c.began_us))
        .where(before.c.pillow_id == pillow_id, before.c.began_us < at_us)
        .correlate_except(before)
        .scalar_subquery()
    )
