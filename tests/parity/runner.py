#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs parity scenarios with the real gc and weakref modules and prints what can be observed after each operation.

usage: runner.py [--rules] < scenarios > observations        (README.md describes both)

With --rules, also the scenarios that need no rule are run by the rules: nothing may change.
Where pygc's order differs from Python's on purpose, `World.collect` and `World.adopt_decided_order` say so;
there is no other place that changes what Python does.
"""

import ctypes
import functools
import gc
import sys
import weakref
from _ctypes import PyObj_FromPtr

untrack = ctypes.pythonapi.PyObject_GC_UnTrack
untrack.argtypes = [ctypes.py_object]
untrack.restype = None
SLOTS = ("a", "b", "c", "d")
CLEANING = 20
RUNNING, FINALIZERS = "running", "finalizers"


class Tag(int):
    """The number of a node, and the witness of its death. Untracked by hand, so that no collection sees it."""

    __slots__ = ()

    def __del__(self) -> None:
        world.alive.pop(int(self), None)


class Node:
    __slots__ = (*SLOTS, "tag", "w", "record", "__weakref__")


class FinalizedNode(Node):
    __slots__ = ()

    def __del__(self) -> None:
        world.finalize(self)


class CallbackReference(weakref.ref):
    """One with a callback: in pygc, too, an object for the collector."""

    __slots__ = ()


class Capture:
    """A callback that captured a node."""

    __slots__ = ("held", "number")

    def __init__(self, number: int, held: object) -> None:
        self.number = number
        self.held = held

    def __call__(self, reference: object) -> None:
        world.called(self.number, reference)


class Record:
    """What a scenario says about a weak reference: kept apart from the reference, which knows nothing once dead."""

    __slots__ = ("action", "called", "name", "number", "target")

    def __init__(self, number: int, target: int, name: str, action: list) -> None:
        self.number = number
        self.target = target
        self.name = name  # of the callback; empty: none
        self.action = action
        self.called = False


class World:
    def __init__(self, has_finalizers: bool, has_inner_weak: bool) -> None:
        self.roots: dict = {}
        self.weak: dict = {}       # name -> (reference, record)
        self.alive: dict = {}      # number -> address
        self.finalizers: dict = {} # number -> action
        self.records: list = []
        self.kept: list = []       # callbacks without captures: never garbage
        self.call = self.called    # one bound method for all of them
        self.phase = RUNNING
        self.finalizing = False    # the first finalizer of this collection has been called
        self.waiting: list = []
        self.events: dict = {}
        self.kinds: set = set()
        self.plain = not has_finalizers and not has_inner_weak and sys.argv[1:] != ["--rules"]
        self.extra = [0, 0, 0]     # what Python counts and pygc doesn't, per generation
        self.corrected = 0         # the same in the last collection
        self.phases: list = []     # what gc.callbacks were told
        self.stats = gc.get_stats()

    # Events are grouped by the object they are about: Python promises no order between objects.
    def event(self, number: int, what: str) -> None:
        self.events.setdefault(number, []).append(what)

    def make(self, number: int, action: list) -> Node:
        node = FinalizedNode() if action else Node()
        node.a = node.b = node.c = node.d = node.w = node.record = None
        node.tag = tag = Tag(number)
        untrack(tag)
        self.alive[number] = id(node)
        if action:
            self.finalizers[number] = action
        return node

    def finalize(self, node: Node) -> None:
        self.finalizing = True
        number = int(node.tag)
        action = self.finalizers[number]
        kind = action[0]
        what = "del"
        if kind == "look":
            what += self.look(action[1])
        self.event(number, what)
        self.kinds.add((kind, number))
        if kind == "save":
            self.roots[action[1]] = node
        elif kind == "break":
            node.a = None
            node.b = None
            node.c = None
            node.d = None
        elif kind == "new":
            self.roots[action[2]] = self.make(int(action[1][1:]), [])
        elif kind == "cycle":
            made = self.make(int(action[1][1:]), [])
            made.a = made
        elif kind == "drop":
            self.roots[action[1]] = None

    def look(self, name: str) -> str:
        if name not in self.weak:
            return f"({name}=none)"
        reference, number = self.weak[name]
        seen = reference() is not None
        # Rule "alive in finalizers": Python has cleared the references to all garbage by now.
        if self.phase == FINALIZERS and self.records[number].target in self.alive:
            seen = True
        return f"({name}={'alive' if seen else 'dead'})"

    def called(self, number: int, reference: object) -> None:
        record = self.records[number]
        # After the first finalizer Python's collector calls no callback itself: this one is of a death by count.
        if self.phase == FINALIZERS and not self.plain and not self.finalizing:
            self.waiting.append((record, reference))
            return
        self.run_callback(record)

    def run_callback(self, record: Record) -> bool:
        """Whether the callback dropped its own weak reference."""
        record.called = True
        what = record.name
        action = record.action
        if action and action[0] == "look":
            what += self.look(action[1])
        self.event(record.target, what)
        if action and action[0] == "forget":
            return self.weak.pop(action[1], (None, None))[1] == record.number
        return False

    # Paths. A place is a root or a slot of a node that is reached from a root.
    def owner(self, path: list) -> object:
        node = self.roots.get(path[0])
        for slot in path[1:-1]:
            if node is None:
                return None
            node = getattr(node, slot)
        return node

    def get(self, path: list) -> object:
        node = self.roots.get(path[0])
        for slot in path[1:]:
            if node is None:
                return None
            node = getattr(node, slot)
        return node

    def put(self, path: list, value: object) -> bool:
        if len(path) == 1:
            self.roots[path[0]] = value
            return True
        owner = self.owner(path)
        if owner is None:
            return False
        setattr(owner, path[-1], value)
        return True

    def put_weak(self, name: str, reference: object, number: object) -> bool:
        path = name.split(".")
        if len(path) == 1:
            if reference is None:
                return self.weak.pop(name, None) is not None
            self.weak[name] = (reference, number)
            return True
        owner = self.owner(path)
        if owner is None:
            return False
        owner.record = number
        owner.w = reference
        return True

    def get_weak(self, name: str) -> tuple:
        path = name.split(".")
        if len(path) == 1:
            return self.weak.get(name, (None, None))
        owner = self.owner(path)
        return (None, None) if owner is None else (owner.w, owner.record)

    # Operations. Each returns what it has to say.
    def op_make(self, args: list) -> str:
        self.roots[args[0]] = self.make(int(args[1][1:]), args[2:])
        return ""

    def op_link(self, args: list) -> str:
        return "" if self.put(args[0].split("."), self.get(args[1].split("."))) else "null"

    def op_unlink(self, args: list) -> str:
        return "" if self.put(args[0].split("."), None) else "null"

    op_copy = op_link
    op_drop = op_unlink

    def op_move(self, args: list) -> str:
        to, source = args[0].split("."), args[1].split(".")
        if to == source:
            return "same"
        if (len(to) > 1 and self.owner(to) is None) or (len(source) > 1 and self.owner(source) is None):
            return "null"
        to_owner, source_owner = (self.owner(p) if len(p) > 1 else self for p in (to, source))
        if to_owner is source_owner and to[-1] == source[-1]:
            return "same"
        value = self.get(source)
        if source_owner is self:
            self.roots[source[0]] = None
        else:
            setattr(source_owner, source[-1], None)
        if to_owner is self:
            self.roots[to[0]] = value
        else:
            setattr(to_owner, to[-1], value)
        return ""

    def op_weak(self, args: list) -> str:
        target = self.get(args[1].split("."))
        if target is None or ("." in args[0] and self.owner(args[0].split(".")) is None):
            return "null"
        number = len(self.records)
        name = args[3] if len(args) > 2 else ""
        action = args[4:]
        self.records.append(Record(number, int(target.tag), name, action))
        if not name:
            reference = weakref.ref(target)
        elif action and action[0] == "holds":
            held = self.get(action[1].split("."))
            reference = CallbackReference(target, Capture(number, held))
            del held
        else:
            call = functools.partial(self.call, number)
            self.kept.append(call)
            reference = CallbackReference(target, call)
        self.put_weak(args[0], reference, number)
        return ""

    def op_weakcopy(self, args: list) -> str:
        reference, number = self.get_weak(args[1])
        if reference is None:
            return "null"
        return "" if self.put_weak(args[0], reference, number) else "null"

    def op_dropweak(self, args: list) -> str:
        return "" if self.put_weak(args[0], None, None) else "null"

    def op_lock(self, args: list) -> str:
        reference, _ = self.get_weak(args[1])
        if reference is None:
            return "null"
        node = reference()
        self.roots[args[0]] = node
        return "dead" if node is None else f"n{int(node.tag)}"

    def op_freeze(self, args: list) -> str:
        gc.freeze()
        return ""

    def op_unfreeze(self, args: list) -> str:
        gc.unfreeze()
        return ""

    def op_collect(self, args: list) -> str:
        self.phases.clear()
        found = self.collect(int(args[0]) if args else 2)
        text = f"{found} ("
        for phase, info in self.phases:
            text += f"{phase} {info['generation']}"
            if phase == "start":
                text += ", "
            else:
                text += f": {info['collected'] - self.corrected} {info['uncollectable']}"
        return text + ")"

    def note_phase(self, phase: str, info: dict) -> None:
        """In gc.callbacks."""
        self.phases.append((phase, dict(info)))

    def op_check(self, args: list) -> str:
        return ""

    def collect(self, generation: int) -> int:
        self.corrected = 0
        if self.plain:  # no rule applies: nothing but Python
            return gc.collect(generation)
        # Python does everything up to the resurrection check and hands out what it would clear.
        gc.set_debug(gc.DEBUG_SAVEALL)
        self.phase = FINALIZERS
        self.finalizing = False
        found = gc.collect(generation)
        self.phase = RUNNING
        gc.set_debug(0)
        garbage = gc.garbage[:]
        gc.garbage.clear()
        # The one place where counts are corrected: weak references without a callback, and what a
        # capturing callback is made of, are gc objects in Python, but not in pygc.
        other = 0
        for o in garbage:
            if isinstance(o, (Node, CallbackReference)):
                continue
            if not isinstance(o, (weakref.ref, Capture)):
                sys.exit(f"garbage that is no part of the scenario: {type(o)}")
            other += 1
        forgotten = self.adopt_decided_order({int(o.tag) for o in garbage if isinstance(o, Node)})
        # Python's own clear step, object by object.
        for o in garbage:
            if isinstance(o, Node):
                o.a = None
                o.b = None
                o.c = None
                o.d = None
                o.w = None
        o = None
        garbage.clear()
        self.corrected = other - forgotten
        self.extra[generation] += self.corrected
        return found - self.corrected

    def places(self) -> list:
        """All places that hold a weak reference: (owner or None, name, reference, record)."""
        found = [(None, name, r, n) for name, (r, n) in self.weak.items()]
        for address in self.alive.values():
            node = PyObj_FromPtr(address)
            if node.w is not None:
                found.append((node, "", node.w, node.record))
        return found

    def adopt_decided_order(self, garbage: set) -> int:
        """Between resurrection check and clearing: what Python did to weak references too early is undone for
        those that pygc leaves alone, and callbacks run that pygc runs now. Returns how many of these dropped
        their own weak reference."""
        for_place: dict = {}
        silent = []
        for owner, name, reference, number in self.places():
            record = self.records[number]
            if reference() is not None or record.called:
                continue
            if owner is not None and int(owner.tag) in garbage:
                continue
            if record.target in self.alive and record.target not in garbage:
                for_place.setdefault(number, (reference, []))[1].append((owner, name))
            elif record.name:
                silent.append((record, reference))
        # Rule "resurrected": its weak references stay alive, and their callbacks don't run.
        for number, (reference, holders) in sorted(for_place.items()):
            target = PyObj_FromPtr(self.alive[self.records[number].target])
            again = type(reference)(target, *([reference.__callback__] if self.records[number].name else []))
            for owner, name in holders:
                if owner is None:
                    self.weak[name] = (again, number)
                else:
                    owner.w = again
            del target, again, reference
        # Rule "not garbage any more": the weak reference was found in the garbage, but came back with its holder.
        known = {record.number for record, _ in self.waiting}
        for record, reference in sorted(silent, key=lambda r: -r[0].number):
            if record.number not in known:
                known.add(record.number)
                self.waiting.append((record, reference))
        if silent:  # newest first, as ever
            self.waiting.sort(key=lambda r: -r[0].number)
        silent.clear()
        forgotten = 0
        held = {number for _, _, _, number in self.places()}
        while self.waiting:
            record, reference = self.waiting.pop(0)
            if record.number not in held:  # a finalizer dropped it before pygc would have called
                continue
            if record.target in self.alive and record.target not in garbage:
                continue
            dropped = self.run_callback(record)
            if dropped and record.target in garbage and all(n != record.number for _, _, _, n in self.places()):
                forgotten += 1
            # Rule "captures": pygc lets go of them after the call.
            if isinstance(reference.__callback__, Capture):
                reference.__callback__.held = None
            del reference
        return forgotten

    # What can be observed.
    def state(self, thorough: bool, unsettled: bool) -> str:
        # What is in no generation is frozen.
        listed = [set(map(id, gc.get_objects(generation=g))) for g in range(3)]
        frozen = 0
        parts = []
        for number in sorted(self.alive):
            address = self.alive[number]
            node = PyObj_FromPtr(address)
            where = 0 if address in listed[0] else 1 if address in listed[1] else 2 if address in listed[2] else "F"
            frozen += where == "F"
            text = f"n{number}:{'?' if unsettled else where}"
            if gc.is_finalized(node):
                text += "f"
            if not gc.is_tracked(node):
                text += "u"
            if node.w is not None:
                seen = node.w()
                text += f"(w={'-' if seen is None else 'n%d' % int(seen.tag)})"
                del seen
            if thorough:
                to = sorted(int(o.tag) for o in gc.get_referents(node) if isinstance(o, Node))
                by = sorted(int(o.tag) for o in gc.get_referrers(node) if isinstance(o, Node))
                text += f"[to {to} by {by} weak {weakref.getweakrefcount(node)}]".replace(" ", "")
            parts.append(text)
        node = None
        count = gc.get_count()
        weak = []
        for name in sorted(self.weak):
            seen = self.weak[name][0]()
            weak.append(f"{name}={'-' if seen is None else 'n%d' % int(seen.tag)}")
            del seen
        return f"{' '.join(parts)} | {frozen} {count[1]},{count[2]} | {' '.join(weak)}"

    def stats_text(self) -> str:
        now = gc.get_stats()
        return " ".join(
            f"{now[g]['collections'] - self.stats[g]['collections']}:"
            f"{now[g]['collected'] - self.stats[g]['collected'] - self.extra[g]}:"
            f"{now[g]['uncollectable'] - self.stats[g]['uncollectable']}" for g in range(3))

    def events_text(self) -> str:
        return " ".join(f"n{n}:{','.join(self.events[n])}" for n in sorted(self.events))

    def order_matters(self) -> bool:
        """Rule "order of finalizers": it decides whether what was saved died by count first, and so its generation.
        This is not looked at then, and a full collection follows, after which all are in generation 2."""
        savers = {n for kind, n in self.kinds if kind == "save"}
        return bool(savers) and any(kind in ("break", "drop") for kind, n in self.kinds if savers != {n})


def run(name: str, lines: list, out: object) -> None:
    global world
    words = [line.split() for line in lines]
    world = World(any(w[0] == "make" and len(w) > 3 for w in words),
                  any(w[0] in ("weak", "weakcopy") and "." in w[1] or "holds" in w for w in words))
    out.append(f"scenario {name}\n")
    gc.callbacks.append(world.note_phase)
    number = 0
    while number < len(words):
        w = words[number]
        number += 1
        world.events = {}
        world.kinds = set()
        result = getattr(world, "op_" + w[0])(w[1:])
        stats = f" | {world.stats_text()}" if w[0] == "collect" else ""
        unsettled = w[0] == "collect" and world.order_matters()
        out.append(f"{number} {' '.join(w)} -> {result} | {world.events_text()} | "
                   f"{world.state(w[0] == 'check', unsettled)}{stats}\n")
        if unsettled:
            words.insert(number, ["collect", "2"])
    # Whatever the scenario left behind must go, though finalizers may save one after the other.
    if any(w[0] == "freeze" for w in words):
        gc.unfreeze()
    for _ in range(CLEANING):
        world.roots.clear()
        world.weak.clear()
        if world.alive:
            world.collect(2)
    out.append(f"end {len(world.alive)}\n")
    gc.callbacks.clear()
    world.kept.clear()
    world.call = None  # or the world itself would be garbage of the next scenario


def main() -> None:
    gc.disable()
    name, lines = "", []
    out: list = []
    gc.collect()
    gc.freeze()
    for line in [*sys.stdin, "scenario\n"]:
        line = line.split("#")[0].strip()
        if line.startswith("scenario"):
            if lines:
                run(name, lines, out)
                sys.stdout.write("".join(out))
                out.clear()
                gc.freeze()  # what belongs to the interpreter and to this program
            name, lines = line[len("scenario"):].strip(), []
        elif line:
            lines.append(line)


world: World
main()
