# SPDX-License-Identifier: BSL-1.0
"""Makes random parity scenarios: the same ones for the same seed and number, on every machine."""

import random

ROOTS = ["r0", "r1", "r2", "r3", "r4", "r5"]
WEAK = ["w0", "w1", "w2", "w3"]
SLOTS = ["a", "b", "c", "d"]


class Generator:
    """One scenario. A rough model of the graph keeps most operations meaningful; what finalizers and
    collections change isn't in it, so that some paths lead nowhere: both runners then say `null`."""

    def __init__(self, seed: int, number: int) -> None:
        self.random = random.Random(f"{seed}.{number}")
        self.roots: dict = {}
        self.links: dict = {}
        self.nodes = 0
        self.callbacks = 0
        self.saved: list = []
        self.lines: list = []
        chance = self.random.random
        self.weak = chance() < 0.8
        self.inner_weak = self.weak and chance() < 0.5
        self.holding = self.weak and chance() < 0.25
        self.finalizers = chance() if chance() < 0.7 else 0.0
        self.freezing = chance() < 0.25
        kinds = ["log", "save", "break", "new", "cycle", "drop"]
        if self.freezing:
            kinds.remove("save")  # a frozen object that saves itself: README.md, the table
        self.kinds = self.random.sample(kinds, self.random.choice([1, 2, 2, 3]))
        if {"save", "break", "drop"} >= set(self.kinds):
            self.kinds.append("log")

    def fresh(self) -> str:
        self.nodes += 1
        return f"n{self.nodes - 1}"

    def root(self) -> str:
        filled = [r for r in ROOTS if self.roots.get(r)]
        if self.saved and self.random.random() < 0.15:
            return self.random.choice(self.saved)
        return self.random.choice(filled if filled and self.random.random() < 0.95 else ROOTS)

    def find(self, path: str) -> object:
        first, *slots = path.split(".")
        node = self.roots.get(first)
        for slot in slots:
            node = self.links.get((node, slot)) if node else None
        return node

    def path(self) -> str:
        path = self.root()
        while self.random.random() < 0.3 and path.count(".") < 2:
            node = self.find(path)
            filled = [s for s in SLOTS if self.links.get((node, s))]
            if not filled:
                break
            path += "." + self.random.choice(filled)
        return path

    def slot(self) -> str:
        return self.path() + "." + self.random.choice(SLOTS)

    def put(self, path: str, node: object) -> None:
        owner, _, slot = path.rpartition(".")
        if not owner:
            self.roots[path] = node
        elif self.find(owner):
            self.links[self.find(owner), slot] = node

    def say(self, *words: object) -> None:
        self.lines.append(" ".join(str(w) for w in words))

    def make(self, root: str) -> None:
        node = self.fresh()
        action: list = []
        if self.random.random() < self.finalizers:
            kind = self.random.choice(self.kinds)
            mine = f"s{node[1:]}"  # only this finalizer puts anything there: the order of finalizers can't matter
            action = [kind]
            if kind == "save":
                action = [kind, mine]
                self.saved.append(mine)
            elif kind == "new":
                action = [kind, self.fresh(), mine]
                self.saved.append(mine)
            elif kind == "cycle":
                action = [kind, self.fresh()]
            elif kind == "drop":
                action = [kind, self.random.choice(ROOTS)]
        self.say("make", root, node, *action)
        self.roots[root] = node

    def ring(self) -> None:
        members = self.random.sample(ROOTS, self.random.choice([1, 2, 2, 3, 4]))
        for r in members:
            if not self.roots.get(r) or self.random.random() < 0.3:
                self.make(r)
        for r, following in zip(members, members[1:] + members[:1]):
            slot = self.random.choice(SLOTS)
            self.say("link", f"{r}.{slot}", following)
            self.put(f"{r}.{slot}", self.roots[following])
        if self.weak and self.random.random() < 0.6:
            self.weak_reference(self.random.choice(members))
        if self.random.random() < 0.6:
            for r in members:
                self.say("drop", r)
                self.roots[r] = None

    def callback(self, name: str) -> list:
        if self.random.random() < 0.4:
            return []
        self.callbacks += 1
        words = ["cb", f"k{self.callbacks - 1}"]
        chance = self.random.random()
        if self.holding and chance < 0.5:
            words += ["holds", self.path()]
        elif "." not in name and chance > 0.8:
            words += ["forget", name]
        return words

    def weak_reference(self, target: str) -> None:
        name = self.random.choice(WEAK)
        if self.inner_weak and self.random.random() < 0.5:
            name = self.path() + ".w"
        self.say("weak", name, target, *self.callback(name))

    def step(self) -> None:
        pick = self.random.choices(
            ["make", "ring", "link", "move", "unlink", "drop", "copy", "weak", "weakcopy", "dropweak", "lock",
             "freeze", "unfreeze", "collect", "check"],
            [14, 9, 22, 8, 6, 12, 5, 14 * self.weak, 3 * self.weak, 3 * self.weak, 3 * self.weak,
             3 * self.freezing, 2 * self.freezing, 12, 3])[0]
        if pick == "make":
            self.make(self.random.choice(ROOTS))
        elif pick == "ring":
            self.ring()
        elif pick == "link":
            to, source = self.slot(), self.path()
            self.say("link", to, source)
            self.put(to, self.find(source))
        elif pick == "move":
            to = self.slot() if self.random.random() < 0.8 else self.random.choice(ROOTS)
            source = self.path()
            self.say("move", to, source)
            node = self.find(source)
            owner = self.find(to.rpartition(".")[0])
            self.put(source, None)
            if "." not in to:
                self.roots[to] = node
            elif owner:
                self.links[owner, to.rpartition(".")[2]] = node
        elif pick == "unlink":
            to = self.path() + "." + self.random.choice(SLOTS)
            self.say("unlink", to)
            self.put(to, None)
        elif pick == "drop":
            root = self.root()
            self.say("drop", root)
            self.roots[root] = None
        elif pick == "copy":
            to, source = self.random.choice(ROOTS), self.path()
            self.say("copy", to, source)
            self.roots[to] = self.find(source)
        elif pick == "weak":
            self.weak_reference(self.path())
        elif pick in ("weakcopy", "dropweak"):
            names = [self.random.choice(WEAK) for _ in range(2)]
            if self.inner_weak:
                names = [self.path() + ".w" if self.random.random() < 0.4 else n for n in names]
            self.say(pick, *names[:2 if pick == "weakcopy" else 1])
        elif pick == "lock":
            root = self.random.choice(ROOTS)
            self.say("lock", root, self.random.choice(WEAK))
            self.roots[root] = None
        elif pick == "collect":
            self.say("collect", self.random.choice([0, 0, 1, 1, 2, 2, 2]))
        else:
            self.say(pick)

    def scenario(self) -> list:
        for root in ROOTS[:self.random.randint(1, 4)]:
            self.make(root)
        for _ in range(self.random.randint(6, 26)):
            self.step()
        self.say("collect", 2)
        self.say("check")
        return self.lines


def generate(seed: int, number: int) -> list:
    return Generator(seed, number).scenario()
