"""How each kind of node behaves: one entry for every class of `Node` and `Wanted`, no ladder."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dirigent.core.nodes.again import AGAIN
from dirigent.core.nodes.attempt import TRY
from dirigent.core.nodes.behaviour import Behaviour
from dirigent.core.nodes.choice import SWITCH
from dirigent.core.nodes.code import AWAIT, CODE, GATHER
from dirigent.core.nodes.events.consume import CONSUME
from dirigent.core.nodes.events.emit import EMIT
from dirigent.core.nodes.events.listen import LISTEN
from dirigent.core.nodes.extended import EXTENDED
from dirigent.core.nodes.fork import FORK
from dirigent.core.nodes.graph import GRAPH
from dirigent.core.nodes.loop import LOOP
from dirigent.core.nodes.sequence import SEQUENCE
from dirigent.core.nodes.simple import CALL, RAISE, SET, WAIT
from dirigent.model.program import (
    Call,
    Code,
    Consume,
    Emit,
    Extended,
    Fork,
    Graph,
    Listen,
    Loop,
    Node,
    Raise,
    Sequence,
    Set,
    Switch,
    Try,
    Wait,
)
from dirigent.model.run import code as asked
from dirigent.model.run.code import Branch, Gather, Repeatedly, Wanted

NODES: Final[Mapping[type[Node | Wanted], Behaviour]] = MappingProxyType(
    {
        Sequence: SEQUENCE,
        Graph: GRAPH,
        Loop: LOOP,
        Fork: FORK,
        Switch: SWITCH,
        Try: TRY,
        Call: CALL,
        Wait: WAIT,
        Set: SET,
        Raise: RAISE,
        Code: CODE,
        Extended: EXTENDED,
        Branch: CODE,
        Gather: GATHER,
        Emit: EMIT,
        Listen: LISTEN,
        Consume: CONSUME,
        asked.Listen: AWAIT,
        Repeatedly: AGAIN,
    }
)
