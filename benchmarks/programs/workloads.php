<?php
// SPDX-License-Identifier: BSL-1.0
// The workloads of workloads.hpp for PHP: the same steps, and one line of JSON.
// usage: workloads.php WORKLOAD NAME=VALUE...

ini_set('memory_limit', '-1');

final class Tree { public ?Tree $left = null; public ?Tree $right = null; }
final class ParentTree {
    public ?ParentTree $left = null; public ?ParentTree $right = null; public ?ParentTree $parent = null;
}
final class Link {
    public ?Link $next = null; public ?Link $before = null;
    public function __construct(public int $value = 0) {}
}
final class Node {
    public ?Node $next = null; public ?Node $other = null;
    public function __construct(public int $value = 0) {}
}
final class Message { public ?Content $body = null; }
final class Content { public ?Message $owner = null; public string $text = ''; }
final class Hub { public array $spokes = []; }
final class Spoke { public ?Hub $center = null; }
final class VisitorPair {
    public ?VisitorPair $other = null; public ?VisitorPair $before = null; public ?Hub $visited = null;
}
final class Container { public array $items = []; }
final class Crossing {
    public array $to = [null, null, null, null];
    public function __construct(public int $value = 0) {}
}
final class TextLink { public ?TextLink $next = null; public ?TextLink $before = null; public string $text = ''; }
final class Block {
    /** @var Block[] */ public array $from = []; /** @var Block[] */ public array $to = [];
    public int $number = -1;
}
final class FoundLoop {
    public ?FoundLoop $around = null;
    public array $inside = []; public array $blocks;
    public function __construct(public bool $reducible, Block $block) { $this->blocks = [$block]; }
}
final class Place {
    public Place $parent; public ?FoundLoop $loop = null; public int $last;
    public array $forward = []; public array $backward = []; public bool $pooled = false;
    public function __construct(public Block $at, public int $number) {
        $this->parent = $this;
        $this->last = $number;
    }
}
final class CachedValue { public ?Cached $owner = null; public string $text = ''; }
final class Cached {
    public ?CachedValue $value = null; public ?Cached $older = null; public ?Cached $newer = null;
    public function __construct(public int $key) {}
}
final class Counted { public static int $alive = 0; }
final class Loaded {
    public ?Loaded $next = null; public ?Loaded $closing = null; public string $payload = '';
    public function __construct(int $payload) {
        ++Counted::$alive;
        if ($payload) $this->payload = str_repeat('x', $payload);
    }
    public function __destruct() { --Counted::$alive; }
}
final class LoadedTree {
    public ?LoadedTree $left = null; public ?LoadedTree $right = null; public ?LoadedTree $parent = null;
    public string $payload = '';
    public function __construct(int $payload) {
        ++Counted::$alive;
        if ($payload) $this->payload = str_repeat('x', $payload);
    }
    public function __destruct() { --Counted::$alive; }
}

function cpu(): float {
    $u = getrusage();
    return ($u['ru_utime.tv_sec'] + $u['ru_stime.tv_sec']) * 1e9
        + ($u['ru_utime.tv_usec'] + $u['ru_stime.tv_usec']) * 1e3;
}

function resident_bytes(): int { return (int) explode(' ', file_get_contents('/proc/self/statm'))[1] * 4096; }

function done(int $checksum, int $items, float $nanoseconds, array $more = []): void {
    echo json_encode(['checksum' => $checksum, 'items' => $items, 'ns_each' => $nanoseconds / $items] + $more), "\n";
}

/** As in run.hpp; the processor time is the process's, which has one thread. */
final class Pauses {
    private SplFixedArray $times;
    private int $at = 0;
    private float $between = 0;
    private float $processor;
    private int $last;

    public function __construct(int $count) {
        $this->times = new SplFixedArray($count);
        $this->processor = cpu();
        $this->last = hrtime(true);
    }

    public function step(): void {
        $now = hrtime(true);
        $spent = $now - $this->last;
        if ($spent > 100000) {
            $processor = cpu();
            $spent = min(max(0, $processor - $this->processor - $this->between), $spent);
            $this->processor = $processor;
            $this->between = 0;
            $now = hrtime(true);
        } else {
            $this->between += $spent;
        }
        $this->times[$this->at++] = $spent;
        $this->last = $now;
    }

    public function figures(): array {
        $times = $this->times->toArray();
        sort($times);
        $last = count($times) - 1;
        return ['pause_p50_us' => $times[(int) ($last * 0.5)] / 1e3, 'pause_p99_us' => $times[(int) ($last * 0.99)] / 1e3,
            'pause_max_us' => $times[$last] / 1e3];
    }
}

function make_tree(int $depth): Tree {
    $t = new Tree;
    if ($depth > 0) {
        $t->left = make_tree($depth - 1);
        $t->right = make_tree($depth - 1);
    }
    return $t;
}

function make_parent_tree(int $depth): ParentTree {
    $t = new ParentTree;
    if ($depth > 0) {
        $t->left = make_parent_tree($depth - 1);
        $t->right = make_parent_tree($depth - 1);
        $t->left->parent = $t->right->parent = $t;
    }
    return $t;
}

function count_nodes(object $t): int {
    return $t->left === null ? 1 : 1 + count_nodes($t->left) + count_nodes($t->right);
}

function below(int $limit): int {
    static $state = 42;
    $state = $state * 16807 % 2147483647;
    return $state % $limit;
}

function trees(int $depth): void {
    $start = cpu();
    $checksum = $items = count_nodes(make_tree($depth + 1));
    $long_lived = make_tree($depth);
    for ($d = 4; $d <= $depth; $d += 2) {
        $nodes = 0;
        for ($i = 1 << ($depth - $d + 4); $i > 0; --$i) $nodes += count_nodes(make_tree($d));
        $checksum += $nodes * $d;
        $items += $nodes;
    }
    $nodes = count_nodes($long_lived);
    $long_lived = null;
    done($checksum + $nodes, $items + $nodes, cpu() - $start);
}

function parents(int $depth, int $trees): void {
    $start = cpu();
    $items = 0;
    for ($i = 0; $i < $trees; ++$i) $items += count_nodes(make_parent_tree($depth));
    done($items, $items, cpu() - $start);
}

function make_list(int $count, ?Link &$last): Link {
    $head = $current = new Link;
    for ($i = 1; $i < $count; ++$i) {
        $added = new Link($i);
        $added->before = $current;
        $current->next = $added;
        $current = $added;
    }
    $last = $current;
    return $head;
}

function lists(int $lists, int $length): void {
    $start = cpu();
    $checksum = 0;
    for ($i = 0; $i < $lists; ++$i) {
        $link = make_list($length, $last);
        $last = null;
        while ($link !== null) {
            $checksum += $link->value;
            $link = $link->next;
        }
    }
    done($checksum, $lists * $length, cpu() - $start);
}

function pairs(int $pairs): void {
    $start = cpu();
    $checksum = 0;
    for ($i = $pairs; $i > 0; --$i) {
        $first = new Link;
        $second = new Link($i % 7);
        $second->before = $first;
        $first->next = $second;
        $checksum += $first->next->value;
    }
    done($checksum, 2 * $pairs, cpu() - $start);
}

function chain(int $length): void {
    $start = cpu();
    $head = null;
    for ($i = 0; $i < $length; ++$i) {
        $added = new Node($i);
        $added->next = $head;
        $head = $added;
    }
    $added = null;
    $checksum = $head->value;
    $drop = cpu();
    $head = null;
    $end = cpu();
    done($checksum, $length, $end - $start, ['drop_ns_each' => ($end - $drop) / $length]);
}

function ring(int $rings, int $length): void {
    $start = cpu();
    $checksum = 0;
    for ($i = $rings; $i > 0; --$i) {
        $first = $head = new Node($i);
        for ($j = 1; $j < $length; ++$j) {
            $added = new Node($j % 7);
            $added->next = $head;
            $head = $added;
        }
        $checksum += $head->value;
        $first->next = $head;
        $first = $head = $added = null;
    }
    gc_collect_cycles();
    done($checksum, $rings * $length, cpu() - $start);
}

function growth(int $nodes, int $collect): void {
    if (!$collect) gc_disable();
    $before = resident_bytes();
    $start = cpu();
    $head = null;
    for ($i = 0; $i < $nodes; ++$i) {
        $added = new Node($i % 7);
        $added->next = $head;
        $head = $added;
    }
    $added = null;
    $spent = cpu() - $start;
    $each = (resident_bytes() - $before) / $nodes;
    $checksum = 0;
    for ($n = $head; $n !== null; $n = $n->next) $checksum += $n->value;
    done($checksum, $nodes, $spent, ['bytes_each' => $each]);
    while ($head !== null) $head = $head->next; // or the end would overflow the stack
}

function full(int $nodes, int $collections): void {
    gc_disable();
    $held = [];
    for ($i = 0; $i < $nodes; ++$i) $held[] = new Node($i);
    $checksum = 0;
    foreach ($held as $n) {
        $n->next = $held[below($nodes)];
        $n->other = $held[below($nodes)];
        $checksum = ($checksum + $n->next->value * 3 + $n->other->value) % 1000003;
    }
    $n = null;
    gc_enable();
    $start = cpu();
    for ($i = 1; $i <= $collections; ++$i) {
        $touched = $held[$i];
        $touched = null;
        gc_collect_cycles();
    }
    done($checksum, $nodes * $collections, cpu() - $start);
    foreach ($held as $n) $n->next = $n->other = null;
}

function window(int $window, int $pushes): void {
    $kept = array_fill(0, $window, null);
    $checksum = 0;
    $start = cpu();
    $pauses = new Pauses($pushes);
    for ($i = 0; $i < $pushes; ++$i) {
        $at = $i % $window;
        if ($kept[$at] !== null) $checksum += ord($kept[$at]->body->text[512]);
        $pushed = new Message;
        $pushed->body = new Content;
        $pushed->body->text = str_repeat(chr($i % 100), 1024);
        $pushed->body->owner = $pushed;
        $kept[$at] = $pushed;
        $pauses->step();
    }
    done($checksum, $pushes, cpu() - $start, $pauses->figures());
}

function hub(int $spokes, int $ticks): void {
    $center = new Hub;
    for ($i = 0; $i < $spokes; ++$i) {
        $s = new Spoke;
        $s->center = $center;
        $center->spokes[] = $s;
    }
    $s = null;
    gc_collect_cycles();
    $checksum = 0;
    $start = cpu();
    $pauses = new Pauses($ticks);
    for ($i = 1; $i <= $ticks; ++$i) {
        $first = new VisitorPair;
        $second = new VisitorPair;
        $first->visited = $center;
        $second->before = $first;
        $first->other = $second;
        $checksum += count($first->visited->spokes) % 997;
        $first = $second = null;
        $pauses->step();
    }
    done($checksum, $ticks, cpu() - $start, $pauses->figures());
}

function populate(Tree $t, int $depth): void {
    if ($depth <= 0) return;
    $t->left = new Tree;
    $t->right = new Tree;
    populate($t->left, $depth - 1);
    populate($t->right, $depth - 1);
}

function gcbench(int $stretch, int $long_lived, int $deepest, int $array): void {
    $size_of = fn (int $depth): int => (2 << $depth) - 1;
    $start = cpu();
    make_tree($stretch);
    $kept = new Tree;
    populate($kept, $long_lived);
    $numbers = [];
    for ($i = 0; $i < $array; ++$i) $numbers[] = 1.0 / ($i + 1);
    $items = $size_of($stretch) + $size_of($long_lived);
    for ($depth = 4; $depth <= $deepest; $depth += 2) {
        $times = intdiv(2 * $size_of($stretch), $size_of($depth));
        for ($i = 0; $i < $times; ++$i) {
            $t = new Tree;
            populate($t, $depth);
        }
        for ($i = 0; $i < $times; ++$i) $t = make_tree($depth);
        $t = null;
        $items += 2 * $times * $size_of($depth);
    }
    $spent = cpu() - $start;
    done(count_nodes($kept) + (int) round(1.0 / $numbers[999]), $items, $spent);
}

function collect_rings(int $loops, int $cycles, int $links): void {
    $rings = array_fill(0, $cycles, null);
    $checksum = 0;
    $collecting = 0;
    $start = cpu();
    for ($l = 0; $l < $loops; ++$l) {
        for ($i = 0; $i < $cycles; ++$i) {
            $head = make_list($links, $last);
            $head->before = $last;
            $last->next = $head;
            $checksum += $head->next->value;
            $rings[$i] = $head;
        }
        $begin = cpu();
        $head = $last = null;
        for ($i = 0; $i < $cycles; ++$i) $rings[$i] = null;
        gc_collect_cycles();
        $collecting += cpu() - $begin;
    }
    $items = $loops * $cycles * $links;
    done($checksum, $items, cpu() - $start, ['collect_ns_each' => $collecting / $items]);
}

function traversal(int $levels, int $collections): void {
    $current = new Container;
    $checksum = 0;
    for ($n = 0; $n < $levels; ++$n) {
        $added = new Container;
        $added->items = $n ? array_fill(0, $n, $current) : [];
        $checksum += count($added->items);
        $current = $added;
    }
    $start = cpu();
    for ($i = 0; $i < $collections; ++$i) {
        $touched = $current;
        $touched = null;
        gc_collect_cycles();
    }
    done($checksum + count($current->items), $collections * $checksum, cpu() - $start);
}

function stress(int $slots, int $operations): void {
    $table = [];
    for ($i = 0; $i < $slots; ++$i) $table[] = new Crossing;
    $start = cpu();
    for ($i = $operations; $i > 0; --$i) {
        $what = below(8);
        if ($what < 2) {
            $table[below($slots)] = new Crossing($i % 1000);
        } elseif ($what < 6) {
            $from = $table[below($slots)];
            $edge = below(4);
            $from->to[$edge] = $table[below($slots)];
        } else {
            $slot = below($slots);
            $target = $table[$slot]->to[below(4)];
            if ($target !== null) $table[$slot] = $target;
        }
    }
    $spent = cpu() - $start;
    $checksum = 0;
    foreach ($table as $crossing) {
        $checksum += $crossing->value;
        foreach ($crossing->to as $edge) if ($edge !== null) $checksum += $edge->value;
    }
    done($checksum, $operations, $spent);
}

function lists_and_trees(int $rounds, int $length, int $trees, int $depth): void {
    $checksum = $items = 0;
    $start = cpu();
    for ($r = 0; $r < $rounds; ++$r) {
        $head = $last = new TextLink;
        for ($i = 1; $i < $length; ++$i) {
            $added = new TextLink;
            $added->text = str_repeat('x', 200);
            $added->before = $last;
            $last->next = $added;
            $checksum += strlen($added->text);
            $last = $added;
        }
        for ($i = 0; $i < $trees; ++$i) $items += count_nodes(make_parent_tree($depth));
        $head = $last = $added = null;
    }
    done($checksum + $items, $items + $rounds * $length, cpu() - $start);
}

function connect(Block $source, Block $target): void {
    $source->to[] = $target;
    $target->from[] = $source;
}

final class FlowGraph {
    /** @var Block[] */ public array $blocks = [];

    public function add(): Block { return $this->blocks[] = new Block; }
    public function add_after(Block $before): Block {
        $b = $this->add();
        connect($before, $b);
        return $b;
    }
    public function add_nest(Block $before, int $depth, int $width): Block {
        $header = $current = $this->add_after($before);
        for ($i = 0; $i < $width; ++$i) {
            if ($depth !== 0) {
                $current = $this->add_nest($current, $depth - 1, $width);
                continue;
            }
            $yes = $this->add_after($current);
            $no = $this->add_after($current);
            $current = $this->add_after($yes);
            connect($no, $current);
        }
        $latch = $this->add_after($current);
        connect($latch, $header);
        return $this->add_after($latch);
    }
}

/** As in loops.hpp. */
final class LoopFinder {
    /** @var Place[] */ private array $places = [];
    /** @var FoundLoop[] */ public array $forest = [];

    public function __construct(FlowGraph $graph) {
        $this->number($graph);
        foreach ($this->places as $p) {
            foreach ($p->at->from as $source) {
                $v = $source->number;
                if ($v < 0) continue;
                if ($p->number <= $v && $v <= $p->last) $p->backward[] = $v;
                else $p->forward[] = $v;
            }
        }
        for ($w = count($this->places); $w-- > 0;) $this->find_loop($this->places[$w]);
    }

    private function number(FlowGraph $graph): void {
        $at = [];
        $next = [];
        $enter = function (Block $b) use (&$at, &$next): void {
            if ($b->number >= 0) return;
            $b->number = count($this->places);
            $this->places[] = new Place($b, $b->number);
            $at[] = $b;
            $next[] = 0;
        };
        $enter($graph->blocks[0]);
        while ($at) {
            $top = count($at) - 1;
            $b = $at[$top];
            if ($next[$top] === count($b->to)) {
                $this->places[$b->number]->last = count($this->places) - 1;
                array_pop($at);
                array_pop($next);
            } else {
                $enter($b->to[$next[$top]++]);
            }
        }
    }

    private function header_of(Place $p): Place {
        $header = $p;
        while ($header->parent !== $header) $header = $header->parent;
        while ($p !== $header) {
            $next = $p->parent;
            $p->parent = $header;
            $p = $next;
        }
        return $header;
    }

    private function find_loop(Place $w): void {
        $pool = [];
        $loops_itself = false;
        $reducible = true;
        foreach ($w->backward as $v) {
            if ($v === $w->number) {
                $loops_itself = true;
                continue;
            }
            $header = $this->header_of($this->places[$v]);
            if (!$header->pooled) $pool[] = $header;
            $header->pooled = true;
        }
        for ($i = 0; $i < count($pool); ++$i) {
            foreach ($pool[$i]->forward as $v) {
                $y = $this->header_of($this->places[$v]);
                if ($y->number < $w->number || $y->number > $w->last) {
                    $reducible = false;
                    $w->forward[] = $y->number;
                } elseif ($y !== $w) {
                    if (!$y->pooled) $pool[] = $y;
                    $y->pooled = true;
                }
            }
        }
        if (!$pool && !$loops_itself) return;
        $found = $w->loop = new FoundLoop($reducible, $w->at);
        foreach ($pool as $p) {
            $p->pooled = false;
            $p->parent = $w;
            if ($p->loop !== null) {
                $p->loop->around = $found;
                $found->inside[] = $p->loop;
            } else {
                $found->blocks[] = $p->at;
            }
        }
        $this->forest[] = $found;
    }
}

function loops(int $graphs, int $depth, int $width): void {
    $checksum = $items = 0;
    $start = cpu();
    for ($g = 0; $g < $graphs; ++$g) {
        $graph = new FlowGraph;
        $current = $graph->add();
        for ($j = 0; $j < $width; ++$j) {
            $current = $graph->add_nest($current, $depth, $width);
            $first = $graph->add_after($current);
            $second = $graph->add_after($current);
            connect($first, $second);
            connect($second, $first);
            $current = $graph->add_after($second);
        }
        $forest = (new LoopFinder($graph))->forest;
        $items += count($graph->blocks);
        foreach ($forest as $found) {
            $checksum += 1000 + count($found->blocks) + count($found->inside);
            $nesting = 1;
            for ($around = $found->around; $around !== null; $around = $around->around) ++$nesting;
            $checksum += $found->reducible ? $nesting : 100 * $nesting;
        }
        $graph = $current = $first = $second = $forest = $found = null;
    }
    done($checksum, $items, cpu() - $start);
}

final class Cache {
    /** @var Cached[] */ public array $entries = [];
    public ?Cached $oldest = null; public ?Cached $newest = null;

    public function unlink(Cached $e): void {
        if ($e->older !== null) $e->older->newer = $e->newer; else $this->oldest = $e->newer;
        if ($e->newer !== null) $e->newer->older = $e->older; else $this->newest = $e->older;
    }
    public function link_newest(Cached $e): void {
        $e->older = $this->newest;
        $e->newer = null;
        if ($e->older !== null) $e->older->newer = $e; else $this->oldest = $e;
        $this->newest = $e;
    }
    public function evict(): void {
        $dying = $this->oldest;
        $this->unlink($dying);
        unset($this->entries[$dying->key]);
    }
}

function lru(int $capacity, int $keys, int $operations): void {
    $kept = new Cache;
    $checksum = 0;
    $start = cpu();
    $pauses = new Pauses($operations);
    for ($i = 0; $i < $operations; ++$i) {
        $key = below(below($keys) + 1);
        $entry = $kept->entries[$key] ?? null;
        if ($entry !== null) {
            $checksum += ord($entry->value->text[7]);
            $kept->unlink($entry);
        } else {
            $entry = $kept->entries[$key] = new Cached($key);
            $entry->value = new CachedValue;
            $entry->value->text = str_repeat(chr($i % 100), 64);
            $entry->value->owner = $entry;
        }
        $kept->link_newest($entry);
        if (count($kept->entries) > $capacity) $kept->evict();
        $pauses->step();
    }
    done($checksum + count($kept->entries), $operations, cpu() - $start, $pauses->figures());
}

function make_loaded_ring(int $size, int $payload): Loaded {
    $head = $last = null;
    for ($j = 0; $j < $size; ++$j) {
        $added = new Loaded($payload);
        if ($j === 0) $last = $added;
        $added->next = $head;
        $head = $added;
    }
    $last->closing = $head;
    return $head;
}

function make_loaded_tree(int $size, int $payload): LoadedTree {
    $root = new LoadedTree($payload);
    $left = intdiv($size, 2);
    $right = intdiv($size - 1, 2);
    if ($left) {
        $root->left = make_loaded_tree($left, $payload);
        $root->left->parent = $root;
    }
    if ($right) {
        $root->right = make_loaded_tree($right, $payload);
        $root->right->parent = $root;
    }
    return $root;
}

function cyclotron(int $size, int $payload, int $live, int $objects, string $make = 'make_loaded_ring'): void {
    $kept_cycles = max(1, intdiv($live, $size));
    $cycles = intdiv($objects, $size);
    $kept = array_fill(0, $kept_cycles, null);
    $checksum = $most = 0;
    $start = cpu();
    $pauses = new Pauses($cycles);
    for ($i = 0; $i < $cycles; ++$i) {
        $made = $make($size, $payload);
        $at = $i % $kept_cycles;
        if ($kept[$at] !== null) $checksum += strlen($kept[$at]->payload) + 1;
        $kept[$at] = $made;
        $made = null;
        $most = max($most, Counted::$alive - min($i + 1, $kept_cycles) * $size);
        $pauses->step();
    }
    done($checksum, $cycles * $size, cpu() - $start, ['most_garbage' => $most] + $pauses->figures());
}

function cyclotron_trees(int $size, int $payload, int $live, int $objects): void {
    cyclotron($size, $payload, $live, $objects, 'make_loaded_tree');
}

$arguments = [];
foreach (array_slice($argv, 2) as $argument) {
    [$name, $value] = explode('=', $argument);
    $arguments[$name] = (int) $value;
}
$argv[1](...$arguments);
