"""Options of streams and servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from lstmcast.cli.options.common import Period, Rate, above_zero, named
from lstmcast.errors import UsageError

if TYPE_CHECKING:
    from lstmcast.data.table import Kind
    from lstmcast.server.settings import Settings
    from lstmcast.streaming.lines import Naming
    from lstmcast.streaming.pipe import Late
    from lstmcast.streaming.stream import Stream


@dataclass(frozen=True)
class LineOptions:
    """Options about the lines of a stream."""

    time: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Column with the times (default: 'time', 'date', …)."
        ),
    ] = None
    series: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Column that names the series (default: 'series' or 'unique_id'). Without one, "
            "each target is a series.",
        ),
    ] = None
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Column with values; repeat for several (default: all others).",
        ),
    ] = None
    future: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Column known in advance, such as a price or a holiday; repeat, or separate by "
            "commas (default: those of the model's data). A cell holds the value of the line "
            "and of the coming steps: 1|0|0.",
        ),
    ] = None
    frequency: Annotated[
        str | None,
        typer.Option(
            metavar="FREQ",
            help="Time between ticks: daily, 15min, … (default: that of the model's data).",
        ),
    ] = None
    period: Period = None
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="real|count|positive",
            help="Kind of the values: no forecast of counts or positive values is below 0.",
        ),
    ] = None

    late: Annotated[
        str,
        typer.Option(
            metavar="skip|error",
            help="What to do with a time that is late or was already read: skip its values and "
            "count them, or answer the whole line with an error.",
        ),
    ] = "skip"
    rate: Rate = 0.001
    conformal: Annotated[
        bool,
        typer.Option(
            help="Adjust intervals by the errors of each series, so that they contain as many "
            "values as they state.",
        ),
    ] = True

    def naming(self) -> Naming:
        """Which names of a line are what."""
        from lstmcast.streaming.lines import Naming

        return Naming(self.time, self.series, tuple(self.target or ()))

    def known(self) -> tuple[str, ...]:
        """Names of columns that are known in advance."""
        names = [
            name.strip() for listing in self.future or () for name in listing.split(",")
        ]
        return tuple(name for name in names if name)

    def refuse_other_columns(self, stream: Stream) -> None:
        """UsageError for columns that are not those that a stream knows in advance."""
        names = () if stream.known is None else stream.known.names
        if self.future is not None and set(self.known()) != set(names):
            # loads NumPy, which --help can do without
            from lstmcast.data.features import listed

            text = f"{listed(names)}" if names else "none"
            raise UsageError(
                f"--future {','.join(self.known())}: the stream continues from data whose columns "
                f"that are known in advance are {text}. Leave out --future."
            )

    def known_kind(self) -> Kind | None:
        """What values can be, if it was given; UsageError for what is none of them."""
        from lstmcast.data.table import Kind, require_choice

        if self.kind is not None:
            require_choice("--kind", self.kind, get_args(Kind))
        return cast("Kind | None", self.kind)

    def late_ticks(self) -> Late:
        """What is done with late ticks; UsageError for what is no such way."""
        from lstmcast.data.table import require_choice
        from lstmcast.streaming.pipe import Late

        require_choice("--late", self.late, get_args(Late))
        return cast("Late", self.late)

    def periods(self) -> tuple[int, ...] | None:
        """The seasonal periods that were given."""
        return tuple(self.period) if self.period else None

    def refuse_frequency(self, remembered: str) -> None:
        """UsageError for a frequency that is not that of the data that a model remembers."""
        from lstmcast.data.times.frequency import parse_frequency

        if (
            self.frequency is not None
            and parse_frequency(self.frequency).code != remembered
        ):
            raise UsageError(
                f"--frequency {self.frequency}: the stream continues from the data of the model, "
                f"whose frequency is {remembered}. Leave out --frequency."
            )


@dataclass(frozen=True)
class Serving:
    """Where a server listens, who may ask it, and how much."""

    host: Annotated[
        str,
        typer.Option(
            metavar="HOST",
            help="Address to listen on: 127.0.0.1 for this machine only, 0.0.0.0 for others too.",
        ),
    ] = "127.0.0.1"
    port: Annotated[
        int, typer.Option(metavar="N", help="Port; 0 for any free one.")
    ] = 8000
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            envvar="LSTMCAST_TOKEN",
            show_envvar=False,
            help="Token that clients must send. Better set the variable LSTMCAST_TOKEN, which "
            "other users of the machine cannot see.",
        ),
    ] = None
    streams: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            parser=named,
            help="Folder where streams are saved and resumed from.",
        ),
    ] = None
    save_every: Annotated[
        int,
        typer.Option(
            metavar="N", help="Save the whole state of a stream after every N ticks."
        ),
    ] = 1000
    trainings: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            parser=named,
            help="Folder where trainings and their models are kept; without it they are deleted "
            "with the server.",
        ),
    ] = None
    max_trainings: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Number of trainings at the same time, others wait; 0: no trainings.",
        ),
    ] = 1
    max_minutes: Annotated[
        float, typer.Option(metavar="N", help="Maximum time of a training, in minutes.")
    ] = 60.0
    max_body: Annotated[
        float,
        typer.Option(metavar="MB", help="Maximum size of a request, in megabytes."),
    ] = 32.0
    max_rows: Annotated[
        int,
        typer.Option(
            metavar="N", help="Maximum number of values in a request or an answer."
        ),
    ] = 1_000_000
    max_horizon: Annotated[
        int, typer.Option(metavar="N", help="Maximum number of steps ahead.")
    ] = 10_000
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Maximum time for an answer.")
    ] = 60.0

    def settings(self, models: Sequence[str]) -> Settings:
        """What is served, within these limits. UsageError."""
        from lstmcast.server.guards import allowed_hosts
        from lstmcast.server.settings import LOOPBACK, Limits, Settings, models_of

        limits = Limits(
            body=self._bytes(),
            rows=above_zero("--max-rows", self.max_rows),
            horizon=above_zero("--max-horizon", self.max_horizon),
            seconds=above_zero("--timeout", self.timeout),
            trainings=self._trainings(),
            training_minutes=above_zero("--max-minutes", self.max_minutes),
        )
        save_every = above_zero("--save-every", self.save_every)
        hosts = allowed_hosts(self.host, LOOPBACK)
        return Settings(
            models_of(models),
            self.streams,
            self.trainings,
            save_every,
            self.token,
            hosts,
            limits,
        )

    def _trainings(self) -> int:
        if self.max_trainings < 0:
            raise UsageError(
                f"--max-trainings must be at least 0, got {self.max_trainings}."
            )
        return self.max_trainings

    def _bytes(self) -> int:
        return max(1, int(1e6 * above_zero("--max-body", self.max_body)))

    @property
    def open_to_all(self) -> bool:
        """Whether anybody who reaches it may ask."""
        from lstmcast.server.settings import LOOPBACK

        return self.token is None and self.host not in LOOPBACK
