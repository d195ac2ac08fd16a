"""The structure of the code by its imports: rooms, floors, arrows, circles.

    python -m bench.house            this checkout
    python -m bench.house FOLDER     another one, for example an older commit
    python -m bench.house --check    exit 1 where an arrow leads back up, or where
                                     files outside models form a circle

A room is a folder of modules; a module that lies directly in an app is a room of its
own. An arrow leads from a room to one it imports. The floor of a room is one above the
highest room that it imports; arrows that have to be left out for that lead back up.
Files form a circle when each reaches the others by imports, those in functions too; an
import for types alone (`if TYPE_CHECKING`) never runs and is left out.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import grimp

APPS = ("controls", "evidence", "srm_project")
GENERATED = ("controls.migrations", "evidence.migrations")
MODELS = ("controls.models", "evidence.models")
Graph = Mapping[str, set[str]]


def module_graph(folder: Path) -> Graph:
    """Each module of the apps under `folder` with the modules that it imports."""
    sys.path.insert(0, str(folder))
    os.chdir(folder)
    graph = grimp.build_graph(*APPS, cache_dir=None, exclude_type_checking_imports=True)
    modules = {name for name in graph.modules if not name.startswith(GENERATED)}
    return {
        module: graph.find_modules_directly_imported_by(module) & modules
        for module in sorted(modules)
    }


def room_of(module: str, packages: set[str]) -> str:
    """The folder that holds a module, or the module itself directly in an app."""
    if module in packages:
        return module
    parent = module.rpartition(".")[0]
    return module if parent in APPS else parent


def room_graph(modules: Graph) -> Graph:
    """Each room with the rooms that it imports."""
    packages = {module.rpartition(".")[0] for module in modules}
    rooms: defaultdict[str, set[str]] = defaultdict(set)
    for module, imports in modules.items():
        room = room_of(module, packages)
        rooms[room] |= {room_of(imported, packages) for imported in imports} - {room}
    return {room: rooms[room] for room in sorted(rooms)}


def circles(graph: Graph) -> list[list[str]]:
    """Groups of two or more nodes of which each reaches the others (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for neighbour in sorted(graph.get(node, ())):
            if neighbour not in index:
                visit(neighbour)
                low[node] = min(low[node], low[neighbour])
            elif neighbour in stack:
                low[node] = min(low[node], index[neighbour])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                groups.append(sorted(group))

    sys.setrecursionlimit(10_000)
    for node in sorted(graph):
        if node not in index:
            visit(node)
    return groups


def arrows_back_up(graph: Graph) -> set[tuple[str, str]]:
    """Arrows without which no rooms form a circle (Eades, Lin and Smyth, 1993)."""
    left = {node: set(targets) for node, targets in graph.items()}
    above: list[str] = []
    below: list[str] = []
    while left:
        incoming = dict.fromkeys(left, 0)
        for targets in left.values():
            for target in targets & left.keys():
                incoming[target] += 1
        outgoing = {node: len(targets & left.keys()) for node, targets in left.items()}
        sinks = [node for node in sorted(left) if not outgoing[node]]
        sources = [node for node in sorted(left) if not incoming[node]]
        if sinks:
            below.append(sinks[0])
        elif sources:
            above.append(sources[0])
        else:
            above.append(max(sorted(left), key=lambda n: outgoing[n] - incoming[n]))
        del left[((sinks and below) or above)[-1]]
    place = {node: n for n, node in enumerate([*above, *reversed(below)])}
    return {
        (room, imported)
        for room, targets in graph.items()
        for imported in targets
        if place[imported] < place[room]
    }


def floors(graph: Graph, back_up: set[tuple[str, str]]) -> dict[str, int]:
    """The floor of each room; 1 is the ground."""
    levels: dict[str, int] = {}

    def floor(room: str) -> int:
        if room not in levels:
            lower = [t for t in graph.get(room, ()) if (room, t) not in back_up]
            levels[room] = 1 + max(map(floor, lower), default=0)
        return levels[room]

    for room in graph:
        floor(room)
    return levels


def outside_models(groups: Iterable[list[str]]) -> list[list[str]]:
    """Circles with a file that is no model."""
    return [g for g in groups if not all(name.startswith(MODELS) for name in g)]


def main() -> int:
    """Print the figures; with `--check`, 1 for an arrow back up or a circle."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path.cwd())
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--list", action="store_true", help="name rooms and arrows")
    options = parser.parse_args()
    modules = module_graph(options.folder.resolve())
    rooms = room_graph(modules)
    back_up = arrows_back_up(rooms)
    levels = floors(rooms, back_up)
    groups = circles(modules)
    wrong = outside_models(groups)
    print(f"modules {len(modules)}, rooms {len(rooms)}, floors {max(levels.values())}")
    print(f"arrows {sum(map(len, rooms.values()))}, back up {len(back_up)}")
    print(
        f"files in circles {sum(map(len, groups))}, not models {sum(map(len, wrong))}"
    )
    for group in wrong:
        print("  circle:", ", ".join(group))
    for room, imported in sorted(back_up):
        print("  back up:", room, "->", imported)
    if options.list:
        for level in sorted(set(levels.values()), reverse=True):
            print(level, *sorted(room for room in levels if levels[room] == level))
    return 1 if options.check and (wrong or back_up) else 0


if __name__ == "__main__":
    sys.exit(main())
