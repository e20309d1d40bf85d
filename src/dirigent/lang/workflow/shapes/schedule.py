"""The shape of the section `schedule`, and of what a stack says about the schedules of its workflows."""

from __future__ import annotations

from typing import Final

from dirigent.lang.schedule.calendar import cron_fault, zone_fault
from dirigent.lang.schedule.reading import moment_fault
from dirigent.lang.shape import Field, Record, Text
from dirigent.lang.workflow.shapes.atoms import DURATION
from dirigent.lang.workflow.shapes.events import STRATEGY
from dirigent.lang.workflow.words import Checked
from dirigent.model.run.schedule import MISFIRES, OVERLAPS

_CRON: Final = Checked(
    "E2060",
    "a cron expression such as `0 3 * * *`",
    cron_fault,
    help="five fields: minute, hour, day, month, day of the week; before them a sixth for seconds",
)
_WHEN: Final = {
    "every": Field(DURATION, description="a run each time so long has passed"),
    "cron": Field(_CRON, description="a run at the times of a cron expression"),
    "after": Field(DURATION, description="a run so long after the last one has ended"),
    "on": Field(STRATEGY, description="a run each time such events have come"),
}
_MOMENT: Final = Checked("E2064", "a time such as `2026-11-23T03:00:00Z`", moment_fault)

SCHEDULE: Final = Record(_WHEN, title="`schedule`")

# What a stack says about the schedule of one of its workflows.
POLICY: Final = Record(
    {
        **_WHEN,
        "zone": Field(
            Checked("E2063", "the name of a time zone, such as `Europe/Berlin`", zone_fault),
            description="the time zone of `cron` (UTC)",
        ),
        "misfire": Field(
            Text(choices=MISFIRES), description="what becomes of times at which no engine ran (last)"
        ),
        "overlap": Field(
            Text(choices=OVERLAPS), description="what becomes of a run while the one before is open (allow)"
        ),
        "jitter": Field(DURATION, description="each is put off by up to so long"),
        "start": Field(_MOMENT, description="nothing before this time"),
        "end": Field(_MOMENT, description="nothing after this time"),
    },
    title="a schedule",
)
