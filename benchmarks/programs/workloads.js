// SPDX-License-Identifier: BSL-1.0
// The workloads of workloads.hpp for Node.js, as context: the same steps, and one line of JSON.
// usage: node --expose-gc workloads.js WORKLOAD NAME=VALUE...
'use strict';

const fs = require('fs');
const { performance } = require('perf_hooks');

class Tree { constructor() { this.left = this.right = null; } }
class ParentTree { constructor() { this.left = this.right = this.parent = null; } }
class Link { constructor(value) { this.next = this.before = null; this.value = value; } }
class Node { constructor(value) { this.next = this.other = null; this.value = value; } }
class TextLink { constructor() { this.next = this.before = this.text = null; } }
class VisitorPair { constructor() { this.other = this.before = this.visited = null; } }
class Crossing { constructor(value) { this.to = [null, null, null, null]; this.value = value; } }
class Block { constructor() { this.from = []; this.to = []; this.number = -1; } }
class FoundLoop {
    constructor(reducible, block) { this.around = null; this.inside = []; this.blocks = [block]; this.reducible = reducible; }
}
class Place {
    constructor(block, number) {
        this.parent = this;
        this.at = block;
        this.loop = null;
        this.number = this.last = number;
        this.forward = [];
        this.backward = [];
        this.pooled = false;
    }
}
class Cached { constructor(key) { this.key = key; this.value = this.older = this.newer = null; } }
class CachedValue { constructor(owner, text) { this.owner = owner; this.text = text; } }
class Loaded {
    constructor(payload) { this.next = this.closing = null; this.payload = payload ? Buffer.alloc(payload, 'x') : null; }
}
class LoadedTree {
    constructor(payload) {
        this.left = this.right = this.parent = null;
        this.payload = payload ? Buffer.alloc(payload, 'x') : null;
    }
}

const cpu = () => { const u = process.cpuUsage(); return (u.user + u.system) * 1e3; };
const residentBytes = () => Number(fs.readFileSync('/proc/self/statm', 'ascii').split(' ')[1]) * 4096;
const done = (checksum, items, nanoseconds, more = {}) =>
    console.log(JSON.stringify({ checksum, items, ns_each: nanoseconds / items, ...more }));

let state = 42;
const below = limit => { state = state * 16807 % 2147483647; return state % limit; };

function pauseFigures(stamps) {
    const times = new Float64Array(stamps.length - 1);
    for (let i = 0; i < times.length; ++i) times[i] = (stamps[i + 1] - stamps[i]) * 1e3;
    times.sort();
    const last = times.length - 1;
    return { pause_p50_us: times[Math.floor(last * 0.5)], pause_p99_us: times[Math.floor(last * 0.99)], pause_max_us: times[last] };
}

function makeTree(depth) {
    const t = new Tree();
    if (depth > 0) { t.left = makeTree(depth - 1); t.right = makeTree(depth - 1); }
    return t;
}

function makeParentTree(depth) {
    const t = new ParentTree();
    if (depth > 0) {
        t.left = makeParentTree(depth - 1);
        t.right = makeParentTree(depth - 1);
        t.left.parent = t.right.parent = t;
    }
    return t;
}

const countNodes = t => t.left === null ? 1 : 1 + countNodes(t.left) + countNodes(t.right);

function populate(t, depth) {
    if (depth <= 0) return;
    t.left = new Tree();
    t.right = new Tree();
    populate(t.left, depth - 1);
    populate(t.right, depth - 1);
}

function makeList(count) {
    const head = new Link(0);
    let last = head;
    for (let i = 1; i < count; ++i) {
        const added = new Link(i);
        added.before = last;
        last.next = added;
        last = added;
    }
    return [head, last];
}

function connect(source, target) {
    source.to.push(target);
    target.from.push(source);
}

class FlowGraph {
    constructor() { this.blocks = []; }
    add() { const b = new Block(); this.blocks.push(b); return b; }
    addAfter(before) { const b = this.add(); connect(before, b); return b; }

    addNest(before, depth, width) {
        const header = this.addAfter(before);
        let current = header;
        for (let i = 0; i < width; ++i) {
            if (depth !== 0) {
                current = this.addNest(current, depth - 1, width);
                continue;
            }
            const yes = this.addAfter(current), no = this.addAfter(current);
            current = this.addAfter(yes);
            connect(no, current);
        }
        const latch = this.addAfter(current);
        connect(latch, header);
        return this.addAfter(latch);
    }
}

/** As in loops.hpp. */
class LoopFinder {
    constructor(graph) {
        this.places = [];
        this.forest = [];
        this.number(graph);
        for (const p of this.places)
            for (const source of p.at.from)
                if (source.number >= 0) (LoopFinder.isAbove(p, source.number) ? p.backward : p.forward).push(source.number);
        for (let w = this.places.length - 1; w >= 0; --w) this.findLoop(this.places[w]);
    }
    static isAbove(p, v) { return p.number <= v && v <= p.last; }

    number(graph) {
        const pending = [];
        const enter = b => {
            if (b.number >= 0) return;
            b.number = this.places.length;
            this.places.push(new Place(b, b.number));
            pending.push({ at: b, next: 0 });
        };
        enter(graph.blocks[0]);
        while (pending.length !== 0) {
            const v = pending[pending.length - 1];
            if (v.next === v.at.to.length) {
                this.places[v.at.number].last = this.places.length - 1;
                pending.pop();
            } else {
                enter(v.at.to[v.next++]);
            }
        }
    }

    headerOf(p) {
        let header = p;
        while (header.parent !== header) header = header.parent;
        while (p !== header) {
            const next = p.parent;
            p.parent = header;
            p = next;
        }
        return header;
    }

    findLoop(w) {
        const pool = [];
        let loopsItself = false, reducible = true;
        const add = p => {
            if (!p.pooled) pool.push(p);
            p.pooled = true;
        };
        for (const v of w.backward) {
            if (v === w.number) loopsItself = true;
            else add(this.headerOf(this.places[v]));
        }
        for (let i = 0; i < pool.length; ++i) {
            for (const v of pool[i].forward) {
                const y = this.headerOf(this.places[v]);
                if (!LoopFinder.isAbove(w, y.number)) {
                    reducible = false;
                    w.forward.push(y.number);
                } else if (y !== w) {
                    add(y);
                }
            }
        }
        if (pool.length === 0 && !loopsItself) return;
        const found = w.loop = new FoundLoop(reducible, w.at);
        for (const p of pool) {
            p.pooled = false;
            p.parent = w;
            if (p.loop !== null) {
                p.loop.around = found;
                found.inside.push(p.loop);
            } else {
                found.blocks.push(p.at);
            }
        }
        this.forest.push(found);
    }
}

class Cache {
    constructor() { this.entries = new Map(); this.oldest = this.newest = null; }
    unlink(e) {
        if (e.older !== null) e.older.newer = e.newer; else this.oldest = e.newer;
        if (e.newer !== null) e.newer.older = e.older; else this.newest = e.older;
    }
    linkNewest(e) {
        e.older = this.newest;
        e.newer = null;
        if (e.older !== null) e.older.newer = e; else this.oldest = e;
        this.newest = e;
    }
    evict() {
        const dying = this.oldest;
        this.unlink(dying);
        this.entries.delete(dying.key);
    }
}

function makeLoadedRing(size, payload) {
    let head = null, last = null;
    for (let j = 0; j < size; ++j) {
        const added = new Loaded(payload);
        if (j === 0) last = added;
        added.next = head;
        head = added;
    }
    last.closing = head;
    return head;
}

function makeLoadedTree(size, payload) {
    const root = new LoadedTree(payload);
    const left = Math.floor(size / 2), right = Math.floor((size - 1) / 2);
    if (left) { root.left = makeLoadedTree(left, payload); root.left.parent = root; }
    if (right) { root.right = makeLoadedTree(right, payload); root.right.parent = root; }
    return root;
}

function cyclotron({ size, payload, live, objects }, make) {
    const keptCycles = Math.max(1, Math.floor(live / size)), cycles = Math.floor(objects / size);
    const kept = new Array(keptCycles).fill(null);
    const stamps = new Float64Array(cycles + 1);
    let checksum = 0;
    const start = cpu();
    stamps[0] = performance.now();
    for (let i = 0; i < cycles; ++i) {
        const made = make(size, payload);
        const slot = kept[i % keptCycles];
        if (slot !== null) checksum += (slot.payload === null ? 0 : slot.payload.length) + 1;
        kept[i % keptCycles] = made;
        stamps[i + 1] = performance.now();
    }
    done(checksum, cycles * size, cpu() - start, pauseFigures(stamps));
}

const workloads = {
    trees({ depth }) {
        const start = cpu();
        let checksum = countNodes(makeTree(depth + 1)), items = checksum;
        const longLived = makeTree(depth);
        for (let d = 4; d <= depth; d += 2) {
            let nodes = 0;
            for (let i = 1 << (depth - d + 4); i > 0; --i) nodes += countNodes(makeTree(d));
            checksum += nodes * d;
            items += nodes;
        }
        const nodes = countNodes(longLived);
        done(checksum + nodes, items + nodes, cpu() - start);
    },
    parents({ depth, trees }) {
        const start = cpu();
        let items = 0;
        for (let i = 0; i < trees; ++i) items += countNodes(makeParentTree(depth));
        done(items, items, cpu() - start);
    },
    lists({ lists, length }) {
        const start = cpu();
        let checksum = 0;
        for (let i = 0; i < lists; ++i)
            for (let l = makeList(length)[0]; l !== null; l = l.next) checksum += l.value;
        done(checksum, lists * length, cpu() - start);
    },
    pairs({ pairs }) {
        const start = cpu();
        let checksum = 0;
        for (let i = pairs; i > 0; --i) {
            const first = new Link(0), second = new Link(i % 7);
            second.before = first;
            first.next = second;
            checksum += first.next.value;
        }
        done(checksum, 2 * pairs, cpu() - start);
    },
    chain({ length }) {
        const start = cpu();
        let head = null;
        for (let i = 0; i < length; ++i) {
            const added = new Node(i);
            added.next = head;
            head = added;
        }
        const checksum = head.value;
        const drop = cpu();
        head = null;
        gc();
        const end = cpu();
        done(checksum, length, end - start, { drop_ns_each: (end - drop) / length });
    },
    ring({ rings, length }) {
        const start = cpu();
        let checksum = 0;
        for (let i = rings; i > 0; --i) {
            const first = new Node(i);
            let head = first;
            for (let j = 1; j < length; ++j) {
                const added = new Node(j % 7);
                added.next = head;
                head = added;
            }
            checksum += head.value;
            first.next = head;
        }
        gc();
        done(checksum, rings * length, cpu() - start);
    },
    growth({ nodes }) {
        const before = residentBytes();
        const start = cpu();
        let head = null;
        for (let i = 0; i < nodes; ++i) {
            const added = new Node(i % 7);
            added.next = head;
            head = added;
        }
        const spent = cpu() - start;
        const each = (residentBytes() - before) / nodes;
        let checksum = 0;
        for (let n = head; n !== null; n = n.next) checksum += n.value;
        done(checksum, nodes, spent, { bytes_each: each });
    },
    full({ nodes, collections }) {
        const held = [];
        for (let i = 0; i < nodes; ++i) held.push(new Node(i));
        let checksum = 0;
        for (const n of held) {
            n.next = held[below(nodes)];
            n.other = held[below(nodes)];
            checksum = (checksum + n.next.value * 3 + n.other.value) % 1000003;
        }
        const start = cpu();
        for (let i = 0; i < collections; ++i) gc();
        done(checksum, nodes * collections, cpu() - start, { kept: held.length });
    },
    window({ window, pushes }) {
        const kept = new Array(window).fill(null);
        const stamps = new Float64Array(pushes + 1);
        let checksum = 0;
        const start = cpu();
        stamps[0] = performance.now();
        for (let i = 0; i < pushes; ++i) {
            const at = i % window;
            if (kept[at] !== null) checksum += kept[at].body.text[512];
            const pushed = { body: { owner: null, text: Buffer.alloc(1024, i % 100) } };
            pushed.body.owner = pushed;
            kept[at] = pushed;
            stamps[i + 1] = performance.now();
        }
        done(checksum, pushes, cpu() - start, pauseFigures(stamps));
    },
    hub({ spokes, ticks }) {
        const center = { spokes: [] };
        for (let i = 0; i < spokes; ++i) center.spokes.push({ center });
        gc();
        const stamps = new Float64Array(ticks + 1);
        let checksum = 0;
        const start = cpu();
        stamps[0] = performance.now();
        for (let i = 1; i <= ticks; ++i) {
            const first = new VisitorPair(), second = new VisitorPair();
            first.visited = center;
            second.before = first;
            first.other = second;
            checksum += first.visited.spokes.length % 997;
            stamps[i] = performance.now();
        }
        done(checksum, ticks, cpu() - start, pauseFigures(stamps));
    },
    gcbench({ stretch, long_lived, deepest, array }) {
        const sizeOf = depth => (2 << depth) - 1;
        const start = cpu();
        makeTree(stretch);
        const kept = new Tree();
        populate(kept, long_lived);
        const numbers = [];
        for (let i = 0; i < array; ++i) numbers.push(1 / (i + 1));
        let items = sizeOf(stretch) + sizeOf(long_lived);
        for (let depth = 4; depth <= deepest; depth += 2) {
            const times = Math.floor(2 * sizeOf(stretch) / sizeOf(depth));
            for (let i = 0; i < times; ++i) populate(new Tree(), depth);
            for (let i = 0; i < times; ++i) makeTree(depth);
            items += 2 * times * sizeOf(depth);
        }
        const spent = cpu() - start;
        done(countNodes(kept) + Math.round(1 / numbers[999]), items, spent);
    },
    collect_rings({ loops, cycles, links }) {
        const rings = new Array(cycles).fill(null);
        let checksum = 0, collecting = 0;
        const start = cpu();
        for (let l = 0; l < loops; ++l) {
            for (let i = 0; i < cycles; ++i) {
                const [head, last] = makeList(links);
                head.before = last;
                last.next = head;
                checksum += head.next.value;
                rings[i] = head;
            }
            const begin = cpu();
            rings.fill(null);
            gc();
            collecting += cpu() - begin;
        }
        const items = loops * cycles * links;
        done(checksum, items, cpu() - start, { collect_ns_each: collecting / items });
    },
    traversal({ levels, collections }) {
        let current = [], checksum = 0;
        for (let n = 0; n < levels; ++n) {
            const added = new Array(n).fill(current);
            checksum += added.length;
            current = added;
        }
        const start = cpu();
        for (let i = 0; i < collections; ++i) gc();
        done(checksum + current.length, collections * checksum, cpu() - start);
    },
    stress({ slots, operations }) {
        const table = [];
        for (let i = 0; i < slots; ++i) table.push(new Crossing(0));
        const start = cpu();
        for (let i = operations; i > 0; --i) {
            const what = below(8);
            if (what < 2) {
                table[below(slots)] = new Crossing(i % 1000);
            } else if (what < 6) {
                const to = table[below(slots)].to, edge = below(4);
                to[edge] = table[below(slots)];
            } else {
                const slot = below(slots), target = table[slot].to[below(4)];
                if (target !== null) table[slot] = target;
            }
        }
        const spent = cpu() - start;
        let checksum = 0;
        for (const crossing of table) {
            checksum += crossing.value;
            for (const edge of crossing.to) if (edge !== null) checksum += edge.value;
        }
        done(checksum, operations, spent);
    },
    lists_and_trees({ rounds, length, trees, depth }) {
        let checksum = 0, items = 0;
        const start = cpu();
        for (let r = 0; r < rounds; ++r) {
            const head = new TextLink();
            let last = head;
            for (let i = 1; i < length; ++i) {
                const added = new TextLink();
                added.text = Buffer.alloc(200, 'x');
                added.before = last;
                last.next = added;
                checksum += added.text.length;
                last = added;
            }
            for (let i = 0; i < trees; ++i) items += countNodes(makeParentTree(depth));
        }
        done(checksum + items, items + rounds * length, cpu() - start);
    },
    loops({ graphs, depth, width }) {
        let checksum = 0, items = 0;
        const start = cpu();
        for (let g = 0; g < graphs; ++g) {
            const graph = new FlowGraph();
            let current = graph.add();
            for (let j = 0; j < width; ++j) {
                current = graph.addNest(current, depth, width);
                const first = graph.addAfter(current), second = graph.addAfter(current);
                connect(first, second);
                connect(second, first);
                current = graph.addAfter(second);
            }
            items += graph.blocks.length;
            for (const found of new LoopFinder(graph).forest) {
                checksum += 1000 + found.blocks.length + found.inside.length;
                let nesting = 1;
                for (let around = found.around; around !== null; around = around.around) ++nesting;
                checksum += found.reducible ? nesting : 100 * nesting;
            }
        }
        done(checksum, items, cpu() - start);
    },
    lru({ capacity, keys, operations }) {
        const kept = new Cache();
        const stamps = new Float64Array(operations + 1);
        let checksum = 0;
        const start = cpu();
        stamps[0] = performance.now();
        for (let i = 0; i < operations; ++i) {
            const key = below(below(keys) + 1);
            let entry = kept.entries.get(key);
            if (entry !== undefined) {
                checksum += entry.value.text[7];
                kept.unlink(entry);
            } else {
                entry = new Cached(key);
                entry.value = new CachedValue(entry, new Uint8Array(64).fill(i % 100));
                kept.entries.set(key, entry);
            }
            kept.linkNewest(entry);
            if (kept.entries.size > capacity) kept.evict();
            stamps[i + 1] = performance.now();
        }
        done(checksum + kept.entries.size, operations, cpu() - start, pauseFigures(stamps));
    },
    cyclotron(given) { cyclotron(given, makeLoadedRing); },
    cyclotron_trees(given) { cyclotron(given, makeLoadedTree); },
};

const given = {};
for (const argument of process.argv.slice(3)) {
    const [name, value] = argument.split('=');
    given[name] = Number(value);
}
workloads[process.argv[2]](given);
