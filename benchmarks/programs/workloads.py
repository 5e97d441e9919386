# SPDX-License-Identifier: BSL-1.0
"""The workloads of workloads.hpp for CPython: the same steps, and one line of JSON.

usage: workloads.py WORKLOAD NAME=VALUE...
"""

import gc
import json
import os
import sys
import time

cpu = time.process_time_ns


class Tree:
    __slots__ = ("left", "right")

    def __init__(self):
        self.left = self.right = None


class ParentTree:
    __slots__ = ("left", "right", "parent")

    def __init__(self):
        self.left = self.right = self.parent = None


class Link:
    __slots__ = ("next", "before", "value")

    def __init__(self, value=0):
        self.next = self.before = None
        self.value = value


class Node:
    __slots__ = ("next", "other", "value")

    def __init__(self, value=0):
        self.next = self.other = None
        self.value = value


def make_tree(depth):
    t = Tree()
    if depth > 0:
        t.left = make_tree(depth - 1)
        t.right = make_tree(depth - 1)
    return t


def make_parent_tree(depth):
    t = ParentTree()
    if depth > 0:
        t.left = make_parent_tree(depth - 1)
        t.right = make_parent_tree(depth - 1)
        t.left.parent = t.right.parent = t
    return t


def count_nodes(t):
    return 1 if t.left is None else 1 + count_nodes(t.left) + count_nodes(t.right)


class Random:
    def __init__(self):
        self.state = 42

    def below(self, limit):
        self.state = self.state * 16807 % 2147483647
        return self.state % limit


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


class Pauses:
    """As in run.hpp."""

    def __init__(self, count):
        self.times = [0] * count
        self.at = self.between = 0
        self.processor = time.thread_time_ns()
        self.last = time.monotonic_ns()

    def step(self):
        now = time.monotonic_ns()
        spent = now - self.last
        if spent > 100_000:
            processor = time.thread_time_ns()
            spent = min(max(0, processor - self.processor - self.between), spent)
            self.processor = processor
            self.between = 0
            now = time.monotonic_ns()
        else:
            self.between += spent
        self.times[self.at] = spent
        self.at += 1
        self.last = now

    def figures(self):
        times = sorted(self.times)
        last = len(times) - 1
        return {"pause_p50_us": times[int(last * 0.5)] / 1e3, "pause_p99_us": times[int(last * 0.99)] / 1e3,
                "pause_max_us": times[last] / 1e3}


def done(checksum, items, nanoseconds, **more):
    print(json.dumps({"checksum": checksum, "items": items, "ns_each": nanoseconds / items, **more}), flush=True)


def trees(depth):
    start = cpu()
    checksum = items = count_nodes(make_tree(depth + 1))
    long_lived = make_tree(depth)
    for d in range(4, depth + 1, 2):
        nodes = 0
        for _ in range(1 << (depth - d + 4)):
            nodes += count_nodes(make_tree(d))
        checksum += nodes * d
        items += nodes
    nodes = count_nodes(long_lived)
    del long_lived
    done(checksum + nodes, items + nodes, cpu() - start)


def parents(depth, trees):
    start = cpu()
    items = 0
    for _ in range(trees):
        items += count_nodes(make_parent_tree(depth))
    done(items, items, cpu() - start)


def make_list(count):
    head = last = Link()
    for i in range(1, count):
        added = Link(i)
        added.before = last
        last.next = added
        last = added
    return head, last


def lists(lists, length):
    start = cpu()
    checksum = 0
    for _ in range(lists):
        link, _last = make_list(length)
        del _last
        while link is not None:
            checksum += link.value
            link = link.next
    done(checksum, lists * length, cpu() - start)


def pairs(pairs):
    start = cpu()
    checksum = 0
    for i in range(pairs, 0, -1):
        first = Link()
        second = Link(i % 7)
        second.before = first
        first.next = second
        checksum += first.next.value
    done(checksum, 2 * pairs, cpu() - start)


def chain(length):
    start = cpu()
    head = None
    for i in range(length):
        added = Node(i)
        added.next = head
        head = added
    del added
    checksum = head.value
    drop = cpu()
    head = None
    end = cpu()
    done(checksum, length, end - start, drop_ns_each=(end - drop) / length)


def ring(rings, length):
    start = cpu()
    checksum = 0
    for i in range(rings, 0, -1):
        first = head = Node(i)
        for j in range(1, length):
            added = Node(j % 7)
            added.next = head
            head = added
        checksum += head.value
        first.next = head
        first = head = added = None
    gc.collect()
    done(checksum, rings * length, cpu() - start)


def growth(nodes, collect):
    if not collect:
        gc.disable()
    before = resident_bytes()
    start = cpu()
    head = None
    for i in range(nodes):
        added = Node(i % 7)
        added.next = head
        head = added
    spent = cpu() - start
    each = (resident_bytes() - before) / nodes
    checksum = 0
    n = head
    while n is not None:
        checksum += n.value
        n = n.next
    done(checksum, nodes, spent, bytes_each=each)
    os._exit(0)


def full(nodes, collections):
    gc.disable()
    held = [Node(i) for i in range(nodes)]
    random = Random()
    checksum = 0
    for n in held:
        n.next = held[random.below(nodes)]
        n.other = held[random.below(nodes)]
        checksum = (checksum + n.next.value * 3 + n.other.value) % 1000003
    start = cpu()
    for i in range(1, collections + 1):
        touched = held[i]
        touched = None
        gc.collect()
    done(checksum, nodes * collections, cpu() - start)
    os._exit(0)


class Message:
    __slots__ = ("body",)


class Content:
    __slots__ = ("owner", "text")


def window(window, pushes):
    checksum = 0
    kept = [None] * window
    start = cpu()
    pauses = Pauses(pushes)
    for i in range(pushes):
        slot = kept[i % window]
        if slot is not None:
            checksum += slot.body.text[512]
        pushed = Message()
        pushed.body = body = Content()
        body.text = bytearray((i % 100,)) * 1024
        body.owner = pushed
        slot = None
        kept[i % window] = pushed
        pauses.step()
    done(checksum, pushes, cpu() - start, **pauses.figures())


class Hub:
    __slots__ = ("spokes",)


class Spoke:
    __slots__ = ("center",)


class VisitorPair:
    __slots__ = ("other", "before", "visited")

    def __init__(self):
        self.other = self.before = self.visited = None


def hub(spokes, ticks):
    center = Hub()
    center.spokes = []
    for _ in range(spokes):
        s = Spoke()
        s.center = center
        center.spokes.append(s)
    gc.collect()
    checksum = 0
    start = cpu()
    pauses = Pauses(ticks)
    for _ in range(ticks):
        first = VisitorPair()
        second = VisitorPair()
        first.visited = center
        second.before = first
        first.other = second
        checksum += len(first.visited.spokes) % 997
        first = second = None
        pauses.step()
    done(checksum, ticks, cpu() - start, **pauses.figures())


def populate(t, depth):
    if depth <= 0:
        return
    t.left = Tree()
    t.right = Tree()
    populate(t.left, depth - 1)
    populate(t.right, depth - 1)


def gcbench(stretch, long_lived, deepest, array):
    def size_of(depth):
        return (2 << depth) - 1

    start = cpu()
    make_tree(stretch)
    kept = Tree()
    populate(kept, long_lived)
    numbers = [1.0 / (i + 1) for i in range(array)]
    items = size_of(stretch) + size_of(long_lived)
    for depth in range(4, deepest + 1, 2):
        times = 2 * size_of(stretch) // size_of(depth)
        for _ in range(times):
            t = Tree()
            populate(t, depth)
        for _ in range(times):
            t = make_tree(depth)
        t = None
        items += 2 * times * size_of(depth)
    spent = cpu() - start
    done(count_nodes(kept) + round(1.0 / numbers[999]), items, spent)


def collect_rings(loops, cycles, links):
    checksum = collecting = 0
    rings = [None] * cycles
    start = cpu()
    for _ in range(loops):
        for i in range(cycles):
            head, last = make_list(links)
            head.before = last
            last.next = head
            checksum += head.next.value
            rings[i] = head
        begin = cpu()
        head = last = None
        for i in range(cycles):
            rings[i] = None
        gc.collect()
        collecting += cpu() - begin
    items = loops * cycles * links
    done(checksum, items, cpu() - start, collect_ns_each=collecting / items)


def traversal(levels, collections):
    current = []
    checksum = 0
    for n in range(levels):
        added = [current] * n
        checksum += len(added)
        current = added
    start = cpu()
    for _ in range(collections):
        touched = current
        touched = None
        gc.collect()
    done(checksum + len(current), collections * checksum, cpu() - start)


class Crossing:
    __slots__ = ("to", "value")

    def __init__(self, value=0):
        self.to = [None, None, None, None]
        self.value = value


def stress(slots, operations):
    table = [Crossing() for _ in range(slots)]
    below = Random().below
    start = cpu()
    for i in range(operations, 0, -1):
        what = below(8)
        if what < 2:
            table[below(slots)] = Crossing(i % 1000)
        elif what < 6:
            to = table[below(slots)].to
            edge = below(4)
            to[edge] = table[below(slots)]
        else:
            slot = below(slots)
            edge = table[slot].to[below(4)]
            if edge is not None:
                table[slot] = edge
    spent = cpu() - start
    checksum = 0
    for crossing in table:
        checksum += crossing.value + sum(edge.value for edge in crossing.to if edge is not None)
    done(checksum, operations, spent)


class TextLink:
    __slots__ = ("next", "before", "text")

    def __init__(self):
        self.next = self.before = self.text = None


def lists_and_trees(rounds, length, trees, depth):
    checksum = items = 0
    start = cpu()
    for _ in range(rounds):
        head = last = TextLink()
        for _ in range(1, length):
            added = TextLink()
            added.text = bytearray(b"x") * 200
            added.before = last
            last.next = added
            checksum += len(added.text)
            last = added
        for _ in range(trees):
            items += count_nodes(make_parent_tree(depth))
        head = last = added = None
    done(checksum + items, items + rounds * length, cpu() - start)


class Block:
    __slots__ = ("sources", "targets", "number")

    def __init__(self):
        self.sources = []
        self.targets = []
        self.number = -1


class FlowGraph:
    def __init__(self):
        self.blocks = []

    def add(self):
        b = Block()
        self.blocks.append(b)
        return b

    def add_after(self, before):
        b = self.add()
        connect(before, b)
        return b


def connect(source, target):
    source.targets.append(target)
    target.sources.append(source)


class FoundLoop:
    __slots__ = ("around", "inside", "blocks", "reducible")

    def __init__(self, reducible, block):
        self.around = None
        self.inside = []
        self.blocks = [block]
        self.reducible = reducible


class Place:
    __slots__ = ("parent", "at", "loop", "number", "last", "forward", "backward", "pooled")

    def __init__(self, block, number):
        self.parent = self
        self.at = block
        self.loop = None
        self.number = self.last = number
        self.forward = []
        self.backward = []
        self.pooled = False


def number_places(graph):
    places = []
    pending = []

    def enter(b):
        if b.number < 0:
            b.number = len(places)
            places.append(Place(b, b.number))
            pending.append((b, iter(b.targets)))

    enter(graph.blocks[0])
    while pending:
        b, targets = pending[-1]
        target = next(targets, None)
        if target is None:
            places[b.number].last = len(places) - 1
            pending.pop()
        else:
            enter(target)
    return places


def header_of(p):
    header = p
    while header.parent is not header:
        header = header.parent
    while p is not header:
        p.parent, p = header, p.parent
    return header


def find_loop(places, w, forest):
    pool = []
    loops_itself = False
    reducible = True
    for v in w.backward:
        if v == w.number:
            loops_itself = True
        else:
            header = header_of(places[v])
            if not header.pooled:
                header.pooled = True
                pool.append(header)
    for p in pool:
        for v in p.forward:
            y = header_of(places[v])
            if not w.number <= y.number <= w.last:
                reducible = False
                w.forward.append(y.number)
            elif y is not w and not y.pooled:
                y.pooled = True
                pool.append(y)
    if not pool and not loops_itself:
        return
    found = w.loop = FoundLoop(reducible, w.at)
    for p in pool:
        p.pooled = False
        p.parent = w
        if p.loop is not None:
            p.loop.around = found
            found.inside.append(p.loop)
        else:
            found.blocks.append(p.at)
    forest.append(found)


def find_loops(graph):
    places = number_places(graph)
    for p in places:
        for source in p.at.sources:
            v = source.number
            if v >= 0:
                (p.backward if p.number <= v <= p.last else p.forward).append(v)
    forest = []
    for p in reversed(places):
        find_loop(places, p, forest)
    return forest


def add_nest(graph, before, depth, width):
    header = current = graph.add_after(before)
    for _ in range(width):
        if depth != 0:
            current = add_nest(graph, current, depth - 1, width)
            continue
        yes = graph.add_after(current)
        no = graph.add_after(current)
        current = graph.add_after(yes)
        connect(no, current)
    latch = graph.add_after(current)
    connect(latch, header)
    return graph.add_after(latch)


def loops(graphs, depth, width):
    checksum = items = 0
    start = cpu()
    for _ in range(graphs):
        graph = FlowGraph()
        current = graph.add()
        for _ in range(width):
            current = add_nest(graph, current, depth, width)
            first = graph.add_after(current)
            second = graph.add_after(current)
            connect(first, second)
            connect(second, first)
            current = graph.add_after(second)
        forest = find_loops(graph)
        items += len(graph.blocks)
        for found in forest:
            checksum += 1000 + len(found.blocks) + len(found.inside)
            nesting = 1
            around = found.around
            while around is not None:
                nesting += 1
                around = around.around
            checksum += nesting if found.reducible else 100 * nesting
    done(checksum, items, cpu() - start)


class Cached:
    __slots__ = ("key", "value", "older", "newer")

    def __init__(self, key):
        self.key = key
        self.older = self.newer = None


class CachedValue:
    __slots__ = ("owner", "text")


class Cache:
    def __init__(self):
        self.entries = {}
        self.oldest = self.newest = None

    def unlink(self, e):
        before, after = e.older, e.newer
        if before is not None:
            before.newer = after
        else:
            self.oldest = after
        if after is not None:
            after.older = before
        else:
            self.newest = before

    def link_newest(self, e):
        before = e.older = self.newest
        e.newer = None
        if before is not None:
            before.newer = e
        else:
            self.oldest = e
        self.newest = e

    def evict(self):
        dying = self.oldest
        self.unlink(dying)
        del self.entries[dying.key]


def lru(capacity, keys, operations):
    kept = Cache()
    below = Random().below
    checksum = 0
    start = cpu()
    pauses = Pauses(operations)
    for i in range(operations):
        key = below(below(keys) + 1)
        entry = kept.entries.get(key)
        if entry is not None:
            checksum += entry.value.text[7]
            kept.unlink(entry)
        else:
            entry = kept.entries[key] = Cached(key)
            entry.value = value = CachedValue()
            value.text = bytearray((i % 100,)) * 64
            value.owner = entry
        kept.link_newest(entry)
        if len(kept.entries) > capacity:
            kept.evict()
        pauses.step()
    done(checksum + len(kept.entries), operations, cpu() - start, **pauses.figures())


class Loaded:
    __slots__ = ("next", "closing", "payload")
    alive = 0

    def __init__(self, payload):
        Loaded.alive += 1
        self.next = self.closing = None
        self.payload = bytearray(b"x") * payload if payload else b""

    def __del__(self):
        Loaded.alive -= 1


class LoadedTree:
    __slots__ = ("left", "right", "parent", "payload")

    def __init__(self, payload):
        Loaded.alive += 1
        self.left = self.right = self.parent = None
        self.payload = bytearray(b"x") * payload if payload else b""

    def __del__(self):
        Loaded.alive -= 1


def make_loaded_ring(size, payload):
    head = None
    for j in range(size):
        added = Loaded(payload)
        if j == 0:
            last = added
        added.next = head
        head = added
    last.closing = head
    return head


def make_loaded_tree(size, payload):
    root = LoadedTree(payload)
    if size // 2:
        root.left = make_loaded_tree(size // 2, payload)
        root.left.parent = root
    if (size - 1) // 2:
        root.right = make_loaded_tree((size - 1) // 2, payload)
        root.right.parent = root
    return root


def cyclotron(size, payload, live, objects, make=make_loaded_ring):
    kept_cycles = max(1, live // size)
    cycles = objects // size
    kept = [None] * kept_cycles
    checksum = most = 0
    start = cpu()
    pauses = Pauses(cycles)
    for i in range(cycles):
        made = make(size, payload)
        slot = kept[i % kept_cycles]
        if slot is not None:
            checksum += len(slot.payload) + 1
        kept[i % kept_cycles] = made
        slot = made = None
        most = max(most, Loaded.alive - min(i + 1, kept_cycles) * size)
        pauses.step()
    done(checksum, cycles * size, cpu() - start, most_garbage=most, **pauses.figures())


def cyclotron_trees(size, payload, live, objects):
    cyclotron(size, payload, live, objects, make_loaded_tree)


class OneReference:
    __slots__ = ("next",)


def most_resident_bytes():
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024


def bytes_of(count, make, chained=True):
    gc.disable()
    kept = None if chained else [None] * count
    before = resident_bytes()
    start = cpu()
    for i in range(count):
        if chained:
            added = make()
            added.next = kept
            kept = added
        else:
            kept[i] = make(i)
    spent = cpu() - start
    each = (resident_bytes() - before) / count
    gc.collect()
    done(count, count, spent, bytes_each=each, bytes_collecting=(most_resident_bytes() - before) / count,
         bytes_after=(resident_bytes() - before) / count)
    os._exit(0)


def bytes_of_node(count):
    bytes_of(count, Node)


def bytes_of_one_reference(count):
    bytes_of(count, OneReference)


def bytes_of_int(count):
    bytes_of(count, lambda i: i + 1000, chained=False)


def bytes_of_64(count):
    bytes_of(count, lambda i: b"x" * (64 - i % 2), chained=False)  # not one constant for all


def swings(most, swings):
    sizes = (16, 32, 48, 64, 80, 96, 128, 160, 192, 224, 256, 320, 384, 448, 480, 512)
    shelves = [[] for _ in sizes]
    below = Random().below
    objects = total = items = 0
    before = resident_bytes()
    start = cpu()

    def add():
        nonlocal objects, total, items
        chosen = below(16)
        shelves[chosen].append(bytearray(sizes[chosen]))
        total += sizes[chosen]
        objects += 1
        items += 1

    def drop():
        nonlocal objects, total
        chosen = below(16)
        shelf = shelves[chosen]
        if shelf:
            at = below(len(shelf))
            shelf[at] = shelf[-1]
            shelf.pop()
            total -= sizes[chosen]
            objects -= 1

    for i in range(swings):
        for target in (most, most // 10):
            while objects != target:
                add()
                drop()
                (add if objects < target else drop)()
            if i == 0 and target == most:
                at_most = (resident_bytes() - before) / total
    at_tenth = (resident_bytes() - before) / total
    spent = cpu() - start
    gc.collect()
    done(total, items, spent, resident_at_most=at_most, resident_at_tenth=at_tenth,
         resident_after=(resident_bytes() - before) / total)
    os._exit(0)


if __name__ == "__main__":
    arguments = dict(argument.split("=") for argument in sys.argv[2:])
    {f.__name__: f for f in (trees, parents, lists, pairs, chain, ring, growth, full, window, hub, gcbench, collect_rings,
                             traversal, stress, lists_and_trees, loops, lru, cyclotron, cyclotron_trees, bytes_of_node,
                             bytes_of_one_reference, bytes_of_int, bytes_of_64, swings)}[sys.argv[1]](
        **{name: int(value) for name, value in arguments.items()})
