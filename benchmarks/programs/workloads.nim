# SPDX-License-Identifier: BSL-1.0
# The workloads of workloads.hpp for Nim with its cycle collector ORC: the same steps, and one line of JSON.
# usage: PROGRAM WORKLOAD NAME=VALUE...

import std/[algorithm, math, monotimes, os, posix, strutils, tables]

type
  Tree = ref object
    left, right: Tree
  ParentTree = ref object
    left, right, parent: ParentTree
  Link = ref object
    next, before: Link
    value: int
  Node = ref object
    next, other: Node
    value: int
  Content = ref object
    owner: Message
    text: array[1024, char]
  Message = ref object
    body: Content
  Spoke = ref object
    center: Hub
  Hub = ref object
    spokes: seq[Spoke]
  VisitorPair = ref object
    other, before: VisitorPair
    visited: Hub
  Container = ref object
    items: seq[Container]
  Crossing = ref object
    to: array[4, Crossing]
    value: int
  TextLink = ref object
    next, before: TextLink
    text: string
  Block = ref object
    sources, targets: seq[Block]
    number: int
  FlowGraph = ref object
    blocks: seq[Block]
  FoundLoop = ref object
    around: FoundLoop
    inside: seq[FoundLoop]
    blocks: seq[Block]
    reducible: bool
  Place = ref object
    parent: Place
    at: Block
    loop: FoundLoop
    number, last: int
    forward, backward: seq[int]
    pooled: bool
  Cached = ref object
    key: int
    value: CachedValue
    older, newer: Cached
  CachedValue = ref object
    owner: Cached
    text: array[64, char]
  Cache = ref object
    entries: Table[int, Cached]
    oldest, newest: Cached
  LoadedObj = object
    next, closing: ref LoadedObj
    payload: string
  Loaded = ref LoadedObj
  LoadedTreeObj = object
    left, right, parent: ref LoadedTreeObj
    payload: string
  LoadedTree = ref LoadedTreeObj
  Random = object
    state: int
  Pauses = object
    times: seq[int64]
    at: int
    last, processor, between: int64

var alive = 0
var touched: Node
var touchedContainer: Container

proc `=destroy`(x: var LoadedObj) =
  dec alive
  `=destroy`(x.next)
  `=destroy`(x.closing)
  `=destroy`(x.payload)

proc `=destroy`(x: var LoadedTreeObj) =
  dec alive
  `=destroy`(x.left)
  `=destroy`(x.right)
  `=destroy`(x.parent)
  `=destroy`(x.payload)

var given: Table[string, int]

proc p(name: string): int = given[name]

proc cpu(): int64 =
  var t: Timespec
  discard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, t)
  int64(t.tv_sec) * 1_000_000_000 + t.tv_nsec

proc now(): int64 = getMonoTime().ticks

proc residentBytes(): int =
  parseInt(readFile("/proc/self/statm").splitWhitespace()[1]) * 4096

proc below(random: var Random, limit: int): int =
  random.state = random.state * 16807 mod 2147483647
  random.state mod limit

proc done(checksum, items: int, nanoseconds: int64, more = "") =
  echo "{\"checksum\": ", checksum, ", \"items\": ", items, ", \"ns_each\": ",
    formatFloat(nanoseconds.float / items.float, ffDecimal, 3), more, "}"
  flushFile(stdout)

proc figure(name: string, value: float): string =
  ", \"" & name & "\": " & formatFloat(value, ffDecimal, 3)

proc threadTime(): int64 =
  var t: Timespec
  discard clock_gettime(CLOCK_THREAD_CPUTIME_ID, t)
  int64(t.tv_sec) * 1_000_000_000 + t.tv_nsec

proc initPauses(count: int): Pauses = Pauses(times: newSeq[int64](count))

proc begin(p: var Pauses) =
  p.processor = threadTime()
  p.last = now()

proc step(p: var Pauses) =
  ## As in run.hpp.
  var time = now()
  var spent = time - p.last
  if spent > 100_000:
    let processor = threadTime()
    spent = min(max(0'i64, processor - p.processor - p.between), spent)
    p.processor = processor
    p.between = 0
    time = now()
  else:
    p.between += spent
  p.times[p.at] = spent
  inc p.at
  p.last = time

proc figures(p: var Pauses): string =
  sort(p.times)
  let last = p.times.len - 1
  figure("pause_p50_us", p.times[int(last.float * 0.5)].float / 1e3) &
    figure("pause_p99_us", p.times[int(last.float * 0.99)].float / 1e3) &
    figure("pause_max_us", p.times[last].float / 1e3)

proc makeTree(depth: int): Tree =
  result = Tree()
  if depth > 0:
    result.left = makeTree(depth - 1)
    result.right = makeTree(depth - 1)

proc makeParentTree(depth: int): ParentTree =
  result = ParentTree()
  if depth > 0:
    result.left = makeParentTree(depth - 1)
    result.right = makeParentTree(depth - 1)
    result.left.parent = result
    result.right.parent = result

proc countNodes[T](t: T): int =
  if t.left == nil: 1 else: 1 + countNodes(t.left) + countNodes(t.right)

proc trees() =
  let deepest = p"depth"
  let start = cpu()
  var checksum = countNodes(makeTree(deepest + 1))
  var items = checksum
  var longLived = makeTree(deepest)
  for depth in countup(4, deepest, 2):
    var nodes = 0
    for _ in 1 .. (1 shl (deepest - depth + 4)): nodes += countNodes(makeTree(depth))
    checksum += nodes * depth
    items += nodes
  let nodes = countNodes(longLived)
  longLived = nil
  done(checksum + nodes, items + nodes, cpu() - start)

proc parents() =
  let start = cpu()
  var items = 0
  for _ in 1 .. p"trees": items += countNodes(makeParentTree(p"depth"))
  done(items, items, cpu() - start)

proc makeList(count: int, last: var Link): Link =
  result = Link()
  last = result
  for i in 1 ..< count:
    let added = Link(value: i)
    added.before = last
    last.next = added
    last = added

proc oneList(length: int): int =
  var last: Link
  let head = makeList(length, last)
  var l = head
  while l != nil:
    result += l.value
    l = l.next

proc lists() =
  let start = cpu()
  var checksum = 0
  for _ in 1 .. p"lists": checksum += oneList(p"length")
  done(checksum, p"lists" * p"length", cpu() - start)

proc onePair(i: int): int =
  let first = Link()
  let second = Link(value: i mod 7)
  second.before = first
  first.next = second
  first.next.value

proc pairs() =
  let start = cpu()
  var checksum = 0
  for i in countdown(p"pairs", 1): checksum += onePair(i)
  done(checksum, 2 * p"pairs", cpu() - start)

proc chain() =
  let length = p"length"
  let start = cpu()
  var head: Node
  for i in 0 ..< length:
    let added = Node(value: i)
    added.next = head
    head = added
  let checksum = head.value
  let drop = cpu()
  head = nil
  let finish = cpu()
  done(checksum, length, finish - start, figure("drop_ns_each", float(finish - drop) / float(length)))

proc oneRing(i, length: int): int =
  let first = Node(value: i)
  var head = first
  for j in 1 ..< length:
    let added = Node(value: j mod 7)
    added.next = head
    head = added
  result = head.value
  first.next = head

proc ring() =
  let start = cpu()
  var checksum = 0
  for i in countdown(p"rings", 1): checksum += oneRing(i, p"length")
  GC_fullCollect()
  done(checksum, p"rings" * p"length", cpu() - start)

proc growth() =
  if p"collect" == 0: GC_disableOrc()
  let before = residentBytes()
  let start = cpu()
  var head: Node
  for i in 0 ..< p"nodes":
    let added = Node(value: i mod 7)
    added.next = head
    head = added
  let spent = cpu() - start
  let each = float(residentBytes() - before) / float(p"nodes")
  var checksum = 0
  var n = head
  while n != nil:
    checksum += n.value
    n = n.next
  done(checksum, p"nodes", spent, figure("bytes_each", each))
  exitnow(0)

proc full() =
  let count = p"nodes"
  GC_disableOrc()
  var nodes = newSeq[Node](count)
  for i in 0 ..< count: nodes[i] = Node(value: i)
  var random = Random(state: 42)
  var checksum = 0
  for n in nodes:
    n.next = nodes[random.below(count)]
    n.other = nodes[random.below(count)]
    checksum = (checksum + n.next.value * 3 + n.other.value) mod 1000003
  GC_enableOrc()
  let start = cpu()
  for i in 1 .. p"collections":
    touched = nodes[i]
    touched = nil
    GC_fullCollect()
  done(checksum, count * p"collections", cpu() - start)
  exitnow(0)

proc push(kept: var seq[Message], i: int): int =
  let at = i mod kept.len
  if kept[at] != nil: result = kept[at].body.text[512].int
  let pushed = Message(body: Content())
  let text = char(i mod 100)
  for c in mitems(pushed.body.text): c = text
  pushed.body.owner = pushed
  kept[at] = pushed

proc window() =
  var kept = newSeq[Message](p"window")
  var pauses = initPauses(p"pushes")
  var checksum = 0
  let start = cpu()
  pauses.begin()
  for i in 0 ..< p"pushes":
    checksum += push(kept, i)
    pauses.step()
  done(checksum, p"pushes", cpu() - start, pauses.figures())
  exitnow(0)

proc tick(center: Hub): int =
  let first = VisitorPair()
  let second = VisitorPair()
  first.visited = center
  second.before = first
  first.other = second
  first.visited.spokes.len mod 997

proc hubTrap() =
  let center = Hub()
  for _ in 1 .. p"spokes": center.spokes.add(Spoke(center: center))
  GC_fullCollect()
  var pauses = initPauses(p"ticks")
  var checksum = 0
  let start = cpu()
  pauses.begin()
  for i in 1 .. p"ticks":
    checksum += tick(center)
    pauses.step()
  done(checksum, p"ticks", cpu() - start, pauses.figures())
  exitnow(0)

proc populate(t: Tree, depth: int) =
  if depth <= 0: return
  t.left = Tree()
  t.right = Tree()
  populate(t.left, depth - 1)
  populate(t.right, depth - 1)

proc gcbench() =
  proc sizeOf(depth: int): int = (2 shl depth) - 1
  let start = cpu()
  discard makeTree(p"stretch")
  let longLived = Tree()
  populate(longLived, p"long_lived")
  var numbers = newSeq[float](p"array")
  for i in 0 ..< numbers.len: numbers[i] = 1.0 / float(i + 1)
  var items = sizeOf(p"stretch") + sizeOf(p"long_lived")
  for depth in countup(4, p"deepest", 2):
    let times = 2 * sizeOf(p"stretch") div sizeOf(depth)
    for _ in 1 .. times:
      let t = Tree()
      populate(t, depth)
    for _ in 1 .. times: discard makeTree(depth)
    items += 2 * times * sizeOf(depth)
  let spent = cpu() - start
  done(countNodes(longLived) + int(round(1.0 / numbers[999])), items, spent)

proc oneRingOfLinks(links: int): Link =
  var last: Link
  result = makeList(links, last)
  result.before = last
  last.next = result

proc collectRings() =
  var rings = newSeq[Link](p"cycles")
  var checksum = 0
  var collecting = 0'i64
  let start = cpu()
  for _ in 1 .. p"loops":
    for head in mitems(rings):
      head = oneRingOfLinks(p"links")
      checksum += head.next.value
    let begin = cpu()
    for head in mitems(rings): head = nil
    GC_fullCollect()
    collecting += cpu() - begin
  let items = p"loops" * p"cycles" * p"links"
  done(checksum, items, cpu() - start, figure("collect_ns_each", float(collecting) / float(items)))

proc traversal() =
  var current = Container()
  var checksum = 0
  for n in 0 ..< p"levels":
    let added = Container(items: newSeq[Container](n))
    for item in mitems(added.items): item = current
    checksum += added.items.len
    current = added
  let start = cpu()
  for _ in 1 .. p"collections":
    touchedContainer = current
    touchedContainer = nil
    GC_fullCollect()
  done(checksum + current.items.len, p"collections" * checksum, cpu() - start)

proc stress() =
  let slots = p"slots"
  var table = newSeq[Crossing](slots)
  for slot in mitems(table): slot = Crossing()
  var random = Random(state: 42)
  let start = cpu()
  for i in countdown(p"operations", 1):
    let what = random.below(8)
    if what < 2:
      let slot = random.below(slots)
      table[slot] = Crossing(value: i mod 1000)
    elif what < 6:
      let at = random.below(slots)
      let edge = random.below(4)
      table[at].to[edge] = table[random.below(slots)]
    else:
      let slot = random.below(slots)
      let target = table[slot].to[random.below(4)]
      if target != nil: table[slot] = target
  let spent = cpu() - start
  var checksum = 0
  for slot in table:
    checksum += slot.value
    for edge in slot.to:
      if edge != nil: checksum += edge.value
  done(checksum, p"operations", spent)
  exitnow(0)

proc oneTextRound(items: var int): int =
  let head = TextLink()
  var last = head
  for _ in 2 .. p"length":
    let added = TextLink(text: newString(200))
    added.before = last
    last.next = added
    result += added.text.len
    last = added
  for _ in 1 .. p"trees": items += countNodes(makeParentTree(p"depth"))

proc listsAndTrees() =
  var checksum, items = 0
  let start = cpu()
  for _ in 1 .. p"rounds": checksum += oneTextRound(items)
  done(checksum + items, items + p"rounds" * p"length", cpu() - start)

proc add(graph: FlowGraph): Block =
  result = Block(number: -1)
  graph.blocks.add result

proc connect(source, target: Block) =
  source.targets.add target
  target.sources.add source

proc addAfter(graph: FlowGraph, before: Block): Block =
  result = graph.add()
  connect(before, result)

proc addNest(graph: FlowGraph, before: Block, depth, width: int): Block =
  let header = graph.addAfter(before)
  var current = header
  for _ in 0 ..< width:
    if depth != 0:
      current = graph.addNest(current, depth - 1, width)
      continue
    let yes = graph.addAfter(current)
    let no = graph.addAfter(current)
    current = graph.addAfter(yes)
    connect(no, current)
  let latch = graph.addAfter(current)
  connect(latch, header)
  graph.addAfter(latch)

proc enter(b: Block, places: var seq[Place], pending: var seq[(Block, int)]) =
  if b.number >= 0: return
  b.number = places.len
  let place = Place(at: b, number: b.number)
  place.parent = place
  places.add place
  pending.add (b, 0)

proc numberPlaces(graph: FlowGraph): seq[Place] =
  var pending: seq[(Block, int)]
  enter(graph.blocks[0], result, pending)
  while pending.len > 0:
    let (b, next) = pending[^1]
    if next == b.targets.len:
      result[b.number].last = result.len - 1
      discard pending.pop()
    else:
      pending[^1][1] = next + 1
      enter(b.targets[next], result, pending)

proc isAbove(p: Place, v: int): bool = p.number <= v and v <= p.last

proc headerOf(p: Place): Place =
  result = p
  while result.parent != result: result = result.parent
  var step = p
  while step != result:
    let next = step.parent
    step.parent = result
    step = next

proc pool(p: Place, pooled: var seq[Place]) =
  if not p.pooled: pooled.add p
  p.pooled = true

proc findLoop(places: seq[Place], w: Place, forest: var seq[FoundLoop]) =
  ## As in loops.hpp.
  var pooled: seq[Place]
  var loopsItself = false
  var reducible = true
  for v in w.backward:
    if v == w.number: loopsItself = true
    else: pool(headerOf(places[v]), pooled)
  var i = 0
  while i < pooled.len:
    for v in pooled[i].forward:
      let y = headerOf(places[v])
      if not isAbove(w, y.number):
        reducible = false
        w.forward.add y.number
      elif y != w:
        pool(y, pooled)
    inc i
  if pooled.len == 0 and not loopsItself: return
  let found = FoundLoop(reducible: reducible, blocks: @[w.at])
  w.loop = found
  for p in pooled:
    p.pooled = false
    p.parent = w
    if p.loop != nil:
      p.loop.around = found
      found.inside.add p.loop
    else:
      found.blocks.add p.at
  forest.add found

proc findLoops(graph: FlowGraph): seq[FoundLoop] =
  let places = numberPlaces(graph)
  for p in places:
    for source in p.at.sources:
      let v = source.number
      if v >= 0:
        if isAbove(p, v): p.backward.add v
        else: p.forward.add v
  for w in countdown(places.high, 0): findLoop(places, places[w], result)

proc oneGraph(depth, width: int, items: var int): int =
  let graph = FlowGraph()
  var current = graph.add()
  for _ in 0 ..< width:
    current = graph.addNest(current, depth, width)
    let first = graph.addAfter(current)
    let second = graph.addAfter(current)
    connect(first, second)
    connect(second, first)
    current = graph.addAfter(second)
  items += graph.blocks.len
  for found in findLoops(graph):
    result += 1000 + found.blocks.len + found.inside.len
    var nesting = 1
    var around = found.around
    while around != nil:
      inc nesting
      around = around.around
    result += (if found.reducible: nesting else: 100 * nesting)

proc loops() =
  var checksum, items = 0
  let start = cpu()
  for _ in 1 .. p"graphs": checksum += oneGraph(p"depth", p"width", items)
  done(checksum, items, cpu() - start)

proc unlink(cache: Cache, e: Cached) =
  if e.older != nil: e.older.newer = e.newer
  else: cache.oldest = e.newer
  if e.newer != nil: e.newer.older = e.older
  else: cache.newest = e.older

proc linkNewest(cache: Cache, e: Cached) =
  e.older = cache.newest
  e.newer = nil
  if e.older != nil: e.older.newer = e
  else: cache.oldest = e
  cache.newest = e

proc evict(cache: Cache) =
  let dying = cache.oldest
  cache.unlink(dying)
  cache.entries.del(dying.key)

proc oneAccess(cache: Cache, key, i, capacity: int): int =
  var entry = cache.entries.getOrDefault(key)
  if entry != nil:
    result = ord(entry.value.text[7])
    cache.unlink(entry)
  else:
    entry = Cached(key: key, value: CachedValue())
    for c in entry.value.text.mitems: c = chr(i mod 100)
    entry.value.owner = entry
    cache.entries[key] = entry
  cache.linkNewest(entry)
  if cache.entries.len > capacity: cache.evict()

proc lru() =
  let operations = p"operations"
  let capacity = p"capacity"
  let keys = p"keys"
  let cache = Cache()
  var random = Random(state: 42)
  var pauses = initPauses(operations)
  var checksum = 0
  let start = cpu()
  pauses.begin()
  for i in 0 ..< operations:
    checksum += oneAccess(cache, random.below(random.below(keys) + 1), i, capacity)
    pauses.step()
  done(checksum + cache.entries.len, operations, cpu() - start, pauses.figures())
  exitnow(0)

proc makeLoadedRing(size, payload: int): Loaded =
  var last: Loaded
  for j in 0 ..< size:
    let added = Loaded()
    inc alive
    if payload != 0: added.payload = newString(payload)
    if j == 0: last = added
    added.next = result
    result = added
  last.closing = result

proc makeLoadedTree(size, payload: int): LoadedTree =
  result = LoadedTree()
  inc alive
  if payload != 0: result.payload = newString(payload)
  if size div 2 != 0:
    result.left = makeLoadedTree(size div 2, payload)
    result.left.parent = result
  if (size - 1) div 2 != 0:
    result.right = makeLoadedTree((size - 1) div 2, payload)
    result.right.parent = result

proc oneCycle[T](kept: var seq[T], i, size, payload: int, make: proc (size, payload: int): T {.nimcall.}): int =
  let made = make(size, payload)
  let at = i mod kept.len
  if kept[at] != nil: result = kept[at].payload.len + 1
  kept[at] = made

proc cyclotron[T](make: proc (size, payload: int): T {.nimcall.}) =
  let size = p"size"
  let keptCycles = max(1, p"live" div size)
  let cycles = p"objects" div size
  var kept = newSeq[T](keptCycles)
  var pauses = initPauses(cycles)
  var checksum, most = 0
  let start = cpu()
  pauses.begin()
  for i in 0 ..< cycles:
    checksum += oneCycle(kept, i, size, p"payload", make)
    most = max(most, alive - min(i + 1, keptCycles) * size)
    pauses.step()
  done(checksum, cycles * size, cpu() - start, pauses.figures() & figure("most_garbage", most.float))
  exitnow(0)

for argument in commandLineParams()[1 .. ^1]:
  let parts = argument.split('=')
  given[parts[0]] = parseInt(parts[1])
case paramStr(1)
of "trees": trees()
of "parents": parents()
of "lists": lists()
of "pairs": pairs()
of "chain": chain()
of "ring": ring()
of "growth": growth()
of "full": full()
of "window": window()
of "hub": hubTrap()
of "gcbench": gcbench()
of "collect_rings": collectRings()
of "traversal": traversal()
of "stress": stress()
of "lists_and_trees": listsAndTrees()
of "loops": loops()
of "lru": lru()
of "cyclotron": cyclotron(makeLoadedRing)
of "cyclotron_trees": cyclotron(makeLoadedTree)
else: quit("no such workload", 2)
