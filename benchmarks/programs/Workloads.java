// SPDX-License-Identifier: BSL-1.0
// The workloads of workloads.hpp for Java, as context: the same steps, and one line of JSON.
// usage: java -cp FOLDER Workloads WORKLOAD NAME=VALUE...

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

final class Workloads {
    static final class Tree { Tree left, right; }
    static final class ParentTree { ParentTree left, right, parent; }
    static final class Link {
        Link next, before;
        long value;
        Link(long value) { this.value = value; }
    }
    static final class Node {
        Node next, other;
        long value;
        Node(long value) { this.value = value; }
    }
    static final class Message { Content body; }
    static final class Content { Message owner; byte[] text; }
    static final class Hub { ArrayList<Spoke> spokes = new ArrayList<>(); }
    static final class Spoke { Hub center; }
    static final class VisitorPair { VisitorPair other, before; Hub visited; }
    static final class Container { Container[] items; }
    static final class Crossing {
        Crossing[] to = new Crossing[4];
        long value;
        Crossing(long value) { this.value = value; }
    }
    static final class TextLink { TextLink next, before; byte[] text; }
    static final class Block {
        ArrayList<Block> from = new ArrayList<>(), to = new ArrayList<>();
        int number = -1;
    }
    static final class FoundLoop {
        FoundLoop around;
        ArrayList<FoundLoop> inside = new ArrayList<>();
        ArrayList<Block> blocks = new ArrayList<>();
        boolean reducible;
    }
    static final class Place {
        Place parent = this;
        Block at;
        FoundLoop loop;
        int number, last;
        ArrayList<Integer> forward = new ArrayList<>(), backward = new ArrayList<>();
        boolean pooled;
        Place(Block at, int number) { this.at = at; this.number = number; }
        boolean isAbove(int v) { return number <= v && v <= last; }
    }
    static final class Cached {
        int key;
        CachedValue value;
        Cached older, newer;
        Cached(int key) { this.key = key; }
    }
    static final class CachedValue { Cached owner; byte[] text = new byte[64]; }
    static abstract class Payload { byte[] payload; }
    static final class Loaded extends Payload { Loaded next, closing; }
    static final class LoadedTree extends Payload { LoadedTree left, right, parent; }

    static final Map<String, Integer> given = new HashMap<>();
    static final com.sun.management.OperatingSystemMXBean system =
        (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    static long state = 42;
    static Object kept; // what must live to the end

    static int p(String name) { return given.get(name); }
    static long cpu() { return system.getProcessCpuTime(); }

    static int below(int limit) {
        state = state * 16807 % 2147483647;
        return (int) (state % limit);
    }

    static long residentBytes() throws Exception {
        return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]) * 4096;
    }

    static String figure(String name, double value) {
        return String.format(Locale.ROOT, ", \"%s\": %.3f", name, value);
    }

    static void done(long checksum, long items, long nanoseconds, String more) {
        System.out.println(String.format(Locale.ROOT, "{\"checksum\": %d, \"items\": %d, \"ns_each\": %.3f%s}", checksum, items,
            nanoseconds / (double) items, more));
    }

    static String pauseFigures(long[] stamps) {
        long[] times = new long[stamps.length - 1];
        for (int i = 0; i < times.length; ++i) times[i] = stamps[i + 1] - stamps[i];
        Arrays.sort(times);
        int last = times.length - 1;
        return figure("pause_p50_us", times[(int) (last * 0.5)] / 1e3) + figure("pause_p99_us", times[(int) (last * 0.99)] / 1e3)
            + figure("pause_max_us", times[last] / 1e3);
    }

    static Tree makeTree(int depth) {
        Tree t = new Tree();
        if (depth > 0) {
            t.left = makeTree(depth - 1);
            t.right = makeTree(depth - 1);
        }
        return t;
    }

    static ParentTree makeParentTree(int depth) {
        ParentTree t = new ParentTree();
        if (depth > 0) {
            t.left = makeParentTree(depth - 1);
            t.right = makeParentTree(depth - 1);
            t.left.parent = t.right.parent = t;
        }
        return t;
    }

    static long countNodes(Tree t) { return t.left == null ? 1 : 1 + countNodes(t.left) + countNodes(t.right); }
    static long countNodes(ParentTree t) { return t.left == null ? 1 : 1 + countNodes(t.left) + countNodes(t.right); }

    static void trees() {
        int deepest = p("depth");
        long start = cpu();
        long checksum = countNodes(makeTree(deepest + 1)), items = checksum;
        Tree longLived = makeTree(deepest);
        for (int depth = 4; depth <= deepest; depth += 2) {
            long nodes = 0;
            for (int i = 1 << (deepest - depth + 4); i > 0; --i) nodes += countNodes(makeTree(depth));
            checksum += nodes * depth;
            items += nodes;
        }
        long nodes = countNodes(longLived);
        done(checksum + nodes, items + nodes, cpu() - start, "");
    }

    static void parents() {
        long start = cpu(), items = 0;
        for (int i = p("trees"); i > 0; --i) items += countNodes(makeParentTree(p("depth")));
        done(items, items, cpu() - start, "");
    }

    static Link lastLink;

    static Link makeList(int count) {
        Link head = new Link(0), last = head;
        for (int i = 1; i < count; ++i) {
            Link added = new Link(i);
            added.before = last;
            last.next = added;
            last = added;
        }
        lastLink = last;
        return head;
    }

    static void lists() {
        long start = cpu(), checksum = 0;
        for (int i = p("lists"); i > 0; --i)
            for (Link l = makeList(p("length")); l != null; l = l.next) checksum += l.value;
        done(checksum, (long) p("lists") * p("length"), cpu() - start, "");
    }

    static void pairs() {
        long start = cpu(), checksum = 0;
        for (int i = p("pairs"); i > 0; --i) {
            Link first = new Link(0), second = new Link(i % 7);
            second.before = first;
            first.next = second;
            checksum += first.next.value;
        }
        done(checksum, 2L * p("pairs"), cpu() - start, "");
    }

    static Node makeChain(int length) {
        Node head = null;
        for (int i = 0; i < length; ++i) {
            Node added = new Node(i % 7);
            added.next = head;
            head = added;
        }
        return head;
    }

    static void chain() {
        int length = p("length");
        long start = cpu();
        Node head = makeChain(length);
        head.value = length - 1;
        long checksum = head.value, drop = cpu();
        head = null;
        System.gc();
        long end = cpu();
        done(checksum, length, end - start, figure("drop_ns_each", (end - drop) / (double) length));
    }

    static void ring() {
        int length = p("length");
        long start = cpu(), checksum = 0;
        for (int i = p("rings"); i > 0; --i) {
            Node first = new Node(i), head = first;
            for (int j = 1; j < length; ++j) {
                Node added = new Node(j % 7);
                added.next = head;
                head = added;
            }
            checksum += head.value;
            first.next = head;
        }
        System.gc();
        done(checksum, (long) p("rings") * length, cpu() - start, "");
    }

    static void growth() throws Exception {
        int nodes = p("nodes");
        long before = residentBytes(), start = cpu();
        Node head = makeChain(nodes);
        long spent = cpu() - start, checksum = 0;
        double each = (residentBytes() - before) / (double) nodes;
        for (Node n = head; n != null; n = n.next) checksum += n.value;
        done(checksum, nodes, spent, figure("bytes_each", each));
    }

    static void full() {
        int count = p("nodes");
        Node[] nodes = new Node[count];
        for (int i = 0; i < count; ++i) nodes[i] = new Node(i);
        kept = nodes;
        long checksum = 0;
        for (Node n : nodes) {
            n.next = nodes[below(count)];
            n.other = nodes[below(count)];
            checksum = (checksum + n.next.value * 3 + n.other.value) % 1000003;
        }
        long start = cpu();
        for (int i = p("collections"); i > 0; --i) System.gc();
        done(checksum, (long) count * p("collections"), cpu() - start, "");
    }

    static void window() {
        int size = p("window"), count = p("pushes");
        Message[] window = new Message[size];
        long[] stamps = new long[count + 1];
        long start = cpu(), checksum = 0;
        stamps[0] = System.nanoTime();
        for (int i = 0; i < count; ++i) {
            Message old = window[i % size];
            if (old != null) checksum += old.body.text[512];
            Message pushed = new Message();
            pushed.body = new Content();
            pushed.body.text = new byte[1024];
            Arrays.fill(pushed.body.text, (byte) (i % 100));
            pushed.body.owner = pushed;
            window[i % size] = pushed;
            stamps[i + 1] = System.nanoTime();
        }
        done(checksum, count, cpu() - start, pauseFigures(stamps));
    }

    static void hub() {
        Hub center = new Hub();
        kept = center;
        for (int i = p("spokes"); i > 0; --i) {
            Spoke s = new Spoke();
            s.center = center;
            center.spokes.add(s);
        }
        System.gc();
        int ticks = p("ticks");
        long[] stamps = new long[ticks + 1];
        long start = cpu(), checksum = 0;
        stamps[0] = System.nanoTime();
        for (int i = 1; i <= ticks; ++i) {
            VisitorPair first = new VisitorPair(), second = new VisitorPair();
            first.visited = center;
            second.before = first;
            first.other = second;
            checksum += first.visited.spokes.size() % 997;
            stamps[i] = System.nanoTime();
        }
        done(checksum, ticks, cpu() - start, pauseFigures(stamps));
    }

    static void populate(Tree t, int depth) {
        if (depth <= 0) return;
        t.left = new Tree();
        t.right = new Tree();
        populate(t.left, depth - 1);
        populate(t.right, depth - 1);
    }

    static long sizeOf(int depth) { return (2L << depth) - 1; }

    static void gcbench() {
        int stretch = p("stretch");
        long start = cpu();
        makeTree(stretch);
        Tree longLived = new Tree();
        populate(longLived, p("long_lived"));
        double[] numbers = new double[p("array")];
        for (int i = 0; i < numbers.length; ++i) numbers[i] = 1.0 / (i + 1);
        long items = sizeOf(stretch) + sizeOf(p("long_lived"));
        for (int depth = 4; depth <= p("deepest"); depth += 2) {
            long times = 2 * sizeOf(stretch) / sizeOf(depth);
            for (long i = 0; i < times; ++i) populate(new Tree(), depth);
            for (long i = 0; i < times; ++i) makeTree(depth);
            items += 2 * times * sizeOf(depth);
        }
        long spent = cpu() - start;
        done(countNodes(longLived) + Math.round(1.0 / numbers[999]), items, spent, "");
    }

    static void collectRings() {
        Link[] rings = new Link[p("cycles")];
        long start = cpu(), checksum = 0, collecting = 0;
        for (int l = p("loops"); l > 0; --l) {
            for (int i = 0; i < rings.length; ++i) {
                Link head = makeList(p("links"));
                head.before = lastLink;
                lastLink.next = head;
                checksum += head.next.value;
                rings[i] = head;
            }
            long begin = cpu();
            lastLink = null;
            Arrays.fill(rings, null);
            System.gc();
            collecting += cpu() - begin;
        }
        long items = (long) p("loops") * p("cycles") * p("links");
        done(checksum, items, cpu() - start, figure("collect_ns_each", collecting / (double) items));
    }

    static void traversal() {
        Container current = new Container();
        current.items = new Container[0];
        long checksum = 0;
        for (int n = 0; n < p("levels"); ++n) {
            Container added = new Container();
            added.items = new Container[n];
            Arrays.fill(added.items, current);
            checksum += added.items.length;
            current = added;
        }
        kept = current;
        long start = cpu();
        for (int i = p("collections"); i > 0; --i) System.gc();
        done(checksum + current.items.length, p("collections") * checksum, cpu() - start, "");
    }

    static void stress() {
        int slots = p("slots");
        Crossing[] table = new Crossing[slots];
        for (int i = 0; i < slots; ++i) table[i] = new Crossing(0);
        long start = cpu();
        for (int i = p("operations"); i > 0; --i) {
            int what = below(8);
            if (what < 2) {
                table[below(slots)] = new Crossing(i % 1000);
            } else if (what < 6) {
                Crossing from = table[below(slots)];
                int edge = below(4);
                from.to[edge] = table[below(slots)];
            } else {
                int slot = below(slots);
                Crossing target = table[slot].to[below(4)];
                if (target != null) table[slot] = target;
            }
        }
        long spent = cpu() - start, checksum = 0;
        for (Crossing c : table) {
            checksum += c.value;
            for (Crossing edge : c.to) if (edge != null) checksum += edge.value;
        }
        done(checksum, p("operations"), spent, "");
    }

    static void listsAndTrees() {
        int length = p("length");
        long start = cpu(), checksum = 0, items = 0;
        for (int r = p("rounds"); r > 0; --r) {
            TextLink head = new TextLink(), last = head;
            kept = head;
            for (int i = 1; i < length; ++i) {
                TextLink added = new TextLink();
                added.text = new byte[200];
                added.before = last;
                last.next = added;
                checksum += added.text.length;
                last = added;
            }
            for (int i = p("trees"); i > 0; --i) items += countNodes(makeParentTree(p("depth")));
        }
        done(checksum + items, items + (long) p("rounds") * length, cpu() - start, "");
    }

    static void connect(Block source, Block target) {
        source.to.add(target);
        target.from.add(source);
    }

    static final class FlowGraph {
        ArrayList<Block> blocks = new ArrayList<>();

        Block add() {
            Block b = new Block();
            blocks.add(b);
            return b;
        }
        Block addAfter(Block before) {
            Block b = add();
            connect(before, b);
            return b;
        }
        Block addNest(Block before, int depth, int width) {
            Block header = addAfter(before), current = header;
            for (int i = 0; i < width; ++i) {
                if (depth != 0) {
                    current = addNest(current, depth - 1, width);
                    continue;
                }
                Block yes = addAfter(current), no = addAfter(current);
                current = addAfter(yes);
                connect(no, current);
            }
            Block latch = addAfter(current);
            connect(latch, header);
            return addAfter(latch);
        }
    }

    /** As in loops.hpp. */
    static final class LoopFinder {
        final ArrayList<Place> places = new ArrayList<>();
        final ArrayList<FoundLoop> forest = new ArrayList<>();
        final ArrayList<Block> pending = new ArrayList<>();
        final ArrayList<Integer> next = new ArrayList<>();

        LoopFinder(FlowGraph graph) {
            number(graph);
            for (Place p : places) {
                for (Block source : p.at.from) {
                    int v = source.number;
                    if (v >= 0) (p.isAbove(v) ? p.backward : p.forward).add(v);
                }
            }
            for (int w = places.size() - 1; w >= 0; --w) findLoop(places.get(w));
        }

        void enter(Block b) {
            if (b.number >= 0) return;
            b.number = places.size();
            places.add(new Place(b, b.number));
            pending.add(b);
            next.add(0);
        }

        void number(FlowGraph graph) {
            enter(graph.blocks.get(0));
            while (!pending.isEmpty()) {
                int top = pending.size() - 1, edge = next.get(top);
                Block b = pending.get(top);
                if (edge == b.to.size()) {
                    places.get(b.number).last = places.size() - 1;
                    pending.remove(top);
                    next.remove(top);
                } else {
                    next.set(top, edge + 1);
                    enter(b.to.get(edge));
                }
            }
        }

        Place headerOf(Place p) {
            Place header = p;
            while (header.parent != header) header = header.parent;
            while (p != header) {
                Place up = p.parent;
                p.parent = header;
                p = up;
            }
            return header;
        }

        static void add(ArrayList<Place> pool, Place p) {
            if (!p.pooled) pool.add(p);
            p.pooled = true;
        }

        void findLoop(Place w) {
            ArrayList<Place> pool = new ArrayList<>();
            boolean loopsItself = false, reducible = true;
            for (int v : w.backward) {
                if (v == w.number) loopsItself = true;
                else add(pool, headerOf(places.get(v)));
            }
            for (int i = 0; i < pool.size(); ++i) {
                for (int v : pool.get(i).forward) {
                    Place y = headerOf(places.get(v));
                    if (!w.isAbove(y.number)) {
                        reducible = false;
                        w.forward.add(y.number);
                    } else if (y != w) {
                        add(pool, y);
                    }
                }
            }
            if (pool.isEmpty() && !loopsItself) return;
            FoundLoop found = new FoundLoop();
            found.reducible = reducible;
            found.blocks.add(w.at);
            w.loop = found;
            for (Place p : pool) {
                p.pooled = false;
                p.parent = w;
                if (p.loop != null) {
                    p.loop.around = found;
                    found.inside.add(p.loop);
                } else {
                    found.blocks.add(p.at);
                }
            }
            forest.add(found);
        }
    }

    static void loops() {
        int depth = p("depth"), width = p("width");
        long start = cpu(), checksum = 0, items = 0;
        for (int g = p("graphs"); g > 0; --g) {
            FlowGraph graph = new FlowGraph();
            Block current = graph.add();
            for (int j = 0; j < width; ++j) {
                current = graph.addNest(current, depth, width);
                Block first = graph.addAfter(current), second = graph.addAfter(current);
                connect(first, second);
                connect(second, first);
                current = graph.addAfter(second);
            }
            items += graph.blocks.size();
            for (FoundLoop found : new LoopFinder(graph).forest) {
                checksum += 1000 + found.blocks.size() + found.inside.size();
                int nesting = 1;
                for (FoundLoop around = found.around; around != null; around = around.around) ++nesting;
                checksum += found.reducible ? nesting : 100 * nesting;
            }
        }
        done(checksum, items, cpu() - start, "");
    }

    static final class Cache {
        HashMap<Integer, Cached> entries = new HashMap<>();
        Cached oldest, newest;

        void unlink(Cached e) {
            if (e.older != null) e.older.newer = e.newer; else oldest = e.newer;
            if (e.newer != null) e.newer.older = e.older; else newest = e.older;
        }
        void linkNewest(Cached e) {
            e.older = newest;
            e.newer = null;
            if (e.older != null) e.older.newer = e; else oldest = e;
            newest = e;
        }
        void evict() {
            Cached dying = oldest;
            unlink(dying);
            entries.remove(dying.key);
        }
    }

    static void lru() {
        int capacity = p("capacity"), keys = p("keys"), count = p("operations");
        Cache cache = new Cache();
        long[] stamps = new long[count + 1];
        long start = cpu(), checksum = 0;
        stamps[0] = System.nanoTime();
        for (int i = 0; i < count; ++i) {
            int key = below(below(keys) + 1);
            Cached entry = cache.entries.get(key);
            if (entry != null) {
                checksum += entry.value.text[7];
                cache.unlink(entry);
            } else {
                entry = new Cached(key);
                entry.value = new CachedValue();
                Arrays.fill(entry.value.text, (byte) (i % 100));
                entry.value.owner = entry;
                cache.entries.put(key, entry);
            }
            cache.linkNewest(entry);
            if (cache.entries.size() > capacity) cache.evict();
            stamps[i + 1] = System.nanoTime();
        }
        done(checksum + cache.entries.size(), count, cpu() - start, pauseFigures(stamps));
    }

    static <T extends Payload> T load(T added, int payload) {
        if (payload != 0) added.payload = new byte[payload];
        return added;
    }

    static Loaded makeLoadedRing(int size, int payload) {
        Loaded head = null, last = null;
        for (int j = 0; j < size; ++j) {
            Loaded added = load(new Loaded(), payload);
            if (j == 0) last = added;
            added.next = head;
            head = added;
        }
        last.closing = head;
        return head;
    }

    static LoadedTree makeLoadedTree(int size, int payload) {
        LoadedTree root = load(new LoadedTree(), payload);
        if (size / 2 != 0) {
            root.left = makeLoadedTree(size / 2, payload);
            root.left.parent = root;
        }
        if ((size - 1) / 2 != 0) {
            root.right = makeLoadedTree((size - 1) / 2, payload);
            root.right.parent = root;
        }
        return root;
    }

    interface Maker { Payload make(int size, int payload); }

    static void cyclotron(Maker maker) {
        int size = p("size"), payload = p("payload"), cycles = p("objects") / size, live = Math.max(1, p("live") / size);
        Payload[] window = new Payload[live];
        long[] stamps = new long[cycles + 1];
        long start = cpu(), checksum = 0;
        stamps[0] = System.nanoTime();
        for (int i = 0; i < cycles; ++i) {
            Payload made = maker.make(size, payload);
            Payload old = window[i % live];
            if (old != null) checksum += (old.payload == null ? 0 : old.payload.length) + 1;
            window[i % live] = made;
            stamps[i + 1] = System.nanoTime();
        }
        done(checksum, (long) cycles * size, cpu() - start, pauseFigures(stamps));
    }

    public static void main(String[] arguments) throws Exception {
        for (int i = 1; i < arguments.length; ++i) {
            String[] parts = arguments[i].split("=");
            given.put(parts[0], Integer.parseInt(parts[1]));
        }
        switch (arguments[0]) {
        case "trees" -> trees();
        case "parents" -> parents();
        case "lists" -> lists();
        case "pairs" -> pairs();
        case "chain" -> chain();
        case "ring" -> ring();
        case "growth" -> growth();
        case "full" -> full();
        case "window" -> window();
        case "hub" -> hub();
        case "gcbench" -> gcbench();
        case "collect_rings" -> collectRings();
        case "traversal" -> traversal();
        case "stress" -> stress();
        case "lists_and_trees" -> listsAndTrees();
        case "loops" -> loops();
        case "lru" -> lru();
        case "cyclotron" -> cyclotron(Workloads::makeLoadedRing);
        case "cyclotron_trees" -> cyclotron(Workloads::makeLoadedTree);
        default -> throw new IllegalArgumentException("no such workload");
        }
    }
}
