"""The command `simulator`: options and environment to settings, then a fleet to its target."""

import asyncio
from typing import Annotated, Any

import structlog
import typer

from contract.instants import parse_instant
from runtime.lifecycle import exit_with_usage, run_service
from runtime.logs import configure_logs
from runtime.settings import SettingsError
from simulator.delivery import Delivery
from simulator.fleet import fleet, fleet_hour
from simulator.scenario import SCENARIOS
from simulator.settings import SimulatorSettings
from simulator.targets import open_target

log = structlog.get_logger()

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def _option(name: str) -> Any:
    field = SimulatorSettings.model_fields[name]
    return typer.Option(help=f"{field.description} ({field.alias})")


@app.command()
def command(
    target: Annotated[str | None, _option("target")] = None,
    pillows: Annotated[int | None, _option("pillows")] = None,
    seed: Annotated[int | None, _option("seed")] = None,
    rate: Annotated[float | None, _option("rate")] = None,
    scenario: Annotated[str | None, _option("scenario")] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="Stop after this many states in all.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="RFC3339",
            help="Say that the stream began then, and leave nothing out: the same options then "
            "give the same bytes.",
        ),
    ] = None,
) -> None:
    """Fake pillows: believable states to the queue, to MQTT or to standard output.

    What no option says comes from the environment, and what that does not say has a default.
    """
    try:
        settings = SimulatorSettings.load(
            SIMULATOR_TARGET=target,
            SIMULATOR_PILLOWS=pillows,
            SIMULATOR_SEED=seed,
            SIMULATOR_RATE=rate,
            SIMULATOR_SCENARIO=scenario,
        )
        start_us = _instant(start)
        configure_logs("simulator", level=settings.log_level, style=settings.log_format)
        run_service(lambda stopping: _simulate(settings, count, start_us, stopping))
    except SettingsError as error:
        exit_with_usage("simulator", str(error))


def _instant(text: str | None) -> int | None:
    if text is None:
        return None
    instant = parse_instant(text)
    if instant is None:
        raise SettingsError(f"--start = {text!r}: write it like 2026-11-22T06:00:00Z")
    return instant


async def _simulate(
    settings: SimulatorSettings, count: int | None, start_us: int | None, stopping: asyncio.Event
) -> None:
    scenario = SCENARIOS[settings.scenario]
    hour = fleet_hour(scenario, settings.seed)
    async with open_target(settings) as target:
        log.info(
            "simulating",
            target=settings.target,
            pillows=settings.pillows,
            rate=settings.rate,
            scenario=settings.scenario,
            seed=settings.seed,
            hour=f"{int(hour):02}:{int(hour % 1 * 60):02}",
            repeat=f"--seed {settings.seed}",
        )
        reports = fleet(scenario, pillows=settings.pillows, rate=settings.rate, seed=settings.seed)
        delivery = Delivery(reports, target, count=count, start_us=start_us)
        try:
            await delivery.run(stopping)
        finally:
            tally = delivery.tally
            log.info("stopped", sent=tally.sent, skipped=tally.skipped, failed=tally.failed)


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()
