// SPDX-License-Identifier: BSL-1.0
// The talk "Understanding Python Memory Management", slide by slide, done with pygc.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include <cxxabi.h>
#include <malloc.h>

#include <pygc/pygc.hpp>

using namespace pygc;

void title(int slide, const char* text) {
    std::cout << "\n=== Slide " << slide << ": " << text << "\n";
}

// ---- Slide 2

void show_memory(const char* when) {
    const auto m = get_memory();
    std::cout << "  " << std::left << std::setw(34) << when << std::right << std::setw(7)
              << m.objects << std::setw(7) << m.pages << std::setw(12) << m.live << std::setw(12)
              << m.free << "\n";
}

void call_with_a_local() {
    const auto local = make_ref<std::string>("lives as long as this call");
    show_memory("inside a call with a local");
}

void memory_is_drawn_from_pages() {
    title(2, "memory is RAM, and a memory manager hands it out");
    std::cout << "                                    objects  pages  bytes live  bytes free\n";
    show_memory("nothing made yet");
    const auto variable = make_ref<int>(1000);
    show_memory("a variable, make_ref<int>(1000)");
    const auto list = make_ref<std::vector<py_ref<int>>>({variable, variable, variable});
    show_memory("a list of three references to it");
    const auto map = make_ref<std::map<std::string, py_ref<int>>>();
    (*map)["test"] = variable;
    show_memory("a map from names to references");
    call_with_a_local();
    show_memory("after the call");
}

// ---- Slides 3 to 5

template <class T>
std::string type_name() {
    const std::unique_ptr<char, decltype(&std::free)> name(
        abi::__cxa_demangle(typeid(T).name(), nullptr, nullptr, nullptr), &std::free);
    return name.get();
}

template <class T>
void show_label(const char* label, const py_ref<T>& object) {
    std::cout << "  " << std::left << std::setw(13) << label << "-> " << object.get() << "  type "
              << type_name<T>() << "  value " << *object << "  ref count " << object.use_count()
              << "\n";
}

void a_variable_is_a_label() {
    title(3, "a variable is a label for an object in memory");
    const py_ref<int> test = make_ref<int>(1000);
    show_label("test", test);

    title(4, "a second label for the same object");
    const auto another_test = test;
    show_label("test", test);
    show_label("another_test", another_test);
    std::cout << "  the same object: " << std::boolalpha << (test == another_test) << "\n";
}

// Says when it goes.
struct note {
    using pygc_acyclic = void;
    std::string text;
    explicit note(std::string t) : text(std::move(t)) {}
    ~note() { std::cout << "       " << text << " is gone\n"; }
    note(const note&) = delete;
    note& operator=(const note&) = delete;
};

void what_changes_the_count() {
    title(5, "what raises and lowers the count");
    auto test = make_ref<note>("the note");
    const auto show = [](const py_ref<note>& r, const char* why) {
        std::cout << "  " << std::setw(2) << r.use_count() << "  " << why << "\n";
    };
    show(test, "made");
    std::vector<py_ref<note>> list;
    {
        auto copy = test;
        show(test, "up: a copy");
        list.push_back(copy);
        show(test, "up: stored in a list");
        [&show](py_ref<note> parameter) { show(parameter, "up: passed by value"); }(test);
        show(test, "down: the call has returned");
        copy = make_ref<note>("another note");
        show(test, "down: the copy was given another object");
        copy = test;
        show(test, "up: and given this one again");
    }
    show(test, "down: the copy's scope has ended");
    list.clear();
    show(test, "down: deleted from the list");
    auto moved = std::move(test);
    show(moved, "no change: moved");
    std::cout << "   0  the last label is set to nullptr:\n";
    moved = nullptr;
}

// ---- Slide 6

struct friendly : py_object {
    py_ref<friendly> best_friend;
    void traverse(auto& visit) { visit(best_friend); }
};

void make_friends() {
    auto a = make_ref<friendly>(), b = make_ref<friendly>();
    a->best_friend = b;
    b->best_friend = a;
}

void collect_cheerfully() {
    title(6, "garbage collection!");
    make_friends();
    std::cout << "  two friends that nobody else knows: " << get_memory().objects << " objects\n"
              << "  collect() == " << collect() << "\n"
              << "  and now: " << get_memory().objects << " objects\n";
}

// ---- Slide 7: the same program three times. A document tree is grown; from its first leaf, the
// way to the root adds up the depths; then the tree goes.

constexpr int depth_of_tree = 5;
constexpr int children_each = 8;
bool measuring_memory = false;
std::size_t bytes_at_most = 0;

// What malloc has handed out (0 under AddressSanitizer, which has its own) and pygc's pages.
std::size_t bytes_in_use() {
    const auto system = mallinfo2();
    const auto ours = get_memory();
    return system.uordblks + system.hblkhd + ours.live + ours.free;
}
void note_memory() {
    if (measuring_memory) bytes_at_most = bytes_in_use();
}

namespace by_hand {
constexpr int first_line = __LINE__ + 1;
struct node {
    int depth = 0;
    node* parent = nullptr;
    std::vector<node*> children;
};
node* grow(node* parent, int depth) {
    node* n = new node{depth, parent, {}};
    if (depth == depth_of_tree) return n;
    for (int i = 0; i != children_each; ++i) n->children.push_back(grow(n, depth + 1));
    return n;
}
void destroy(node* n) { // forgotten: a leak; done twice: a crash; used after: anything
    for (node* child : n->children) destroy(child);
    delete n;
}
int run() {
    node* root = grow(nullptr, 0);
    note_memory();
    node* n = root;
    while (!n->children.empty()) n = n->children.front();
    int sum = 0;
    for (; n != nullptr; n = n->parent) sum += n->depth;
    destroy(root);
    return sum;
}
constexpr int lines = __LINE__ - first_line;
} // namespace by_hand

namespace with_shared_ptr {
constexpr int first_line = __LINE__ + 1;
struct node {
    int depth = 0;
    std::weak_ptr<node> parent; // strong would leak
    std::vector<std::shared_ptr<node>> children;
};
std::shared_ptr<node> grow(const std::shared_ptr<node>& parent, int depth) {
    auto n = std::make_shared<node>();
    n->depth = depth;
    n->parent = parent;
    if (depth == depth_of_tree) return n;
    for (int i = 0; i != children_each; ++i) n->children.push_back(grow(n, depth + 1));
    return n;
}
int run() {
    auto root = grow(nullptr, 0);
    note_memory();
    auto n = root;
    while (!n->children.empty()) n = n->children.front();
    int sum = 0;
    for (; n != nullptr; n = n->parent.lock()) sum += n->depth;
    return sum;
}
constexpr int lines = __LINE__ - first_line;
} // namespace with_shared_ptr

namespace with_pygc {
constexpr int first_line = __LINE__ + 1;
struct node {
    int depth = 0;
    py_ref<node> parent;
    std::vector<py_ref<node>> children;
};
py_ref<node> grow(const py_ref<node>& parent, int depth) {
    auto n = make_ref<node>(depth, parent);
    if (depth == depth_of_tree) return n;
    for (int i = 0; i != children_each; ++i) n->children.push_back(grow(n, depth + 1));
    return n;
}
int run() {
    auto root = grow(nullptr, 0);
    note_memory();
    auto n = root;
    while (!n->children.empty()) n = n->children.front();
    int sum = 0;
    for (; n != nullptr; n = n->parent) sum += n->depth;
    return sum;
}
constexpr int lines = __LINE__ - first_line;
} // namespace with_pygc

double milliseconds(const auto& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
}

void compare(const char* name, int lines, int (*run)()) {
    const std::size_t before = bytes_in_use();
    measuring_memory = true; // in a run of its own: asking malloc takes time
    int sum = run();
    measuring_memory = false;
    collect(); // only the third program leaves something to find
    double best = 1e9;
    for (int i = 0; i != 5; ++i) {
        best = std::min(best, milliseconds([&] {
                            sum = run();
                            collect();
                        }));
    }
    std::cout << "  " << std::left << std::setw(30) << name << std::right << std::setw(6) << sum
              << std::setw(7) << lines << std::fixed << std::setprecision(1) << std::setw(9) << best
              << " ms" << std::setw(8) << (bytes_at_most - before) / 1024 << " KiB\n";
}

void one_program_three_ways() {
    title(7, "manual or automatic: one program, three ways");
    std::cout << "                                result  lines      time      memory\n";
    compare("new and delete", by_hand::lines, by_hand::run);
    compare("shared_ptr and weak_ptr", with_shared_ptr::lines, with_shared_ptr::run);
    compare("pygc, collect() included", with_pygc::lines, with_pygc::run);
}

// ---- Slide 8

std::vector<std::string> deleted;

struct thing : py_object {
    std::string name;
    std::vector<py_ref<thing>> holds;

    explicit thing(std::string n) : name(std::move(n)) {}
    ~thing() { deleted.push_back(name); }
    void traverse(auto& visit) { visit(holds); }
};

using names = std::vector<std::string>;

std::array<names, 3> buckets() {
    std::array<names, 3> result;
    for (int generation = 0; generation <= 2; ++generation) {
        names& bucket = result.at(static_cast<std::size_t>(generation));
        for (const auto& object : get_objects(generation))
            bucket.push_back(static_pointer_cast<thing>(object)->name);
        std::sort(bucket.begin(), bucket.end());
    }
    return result;
}

void show_names(const std::string& what, const names& list) {
    std::cout << "    " << std::left << std::setw(11) << what << std::right;
    for (const auto& name : list) std::cout << ' ' << name;
    std::cout << (list.empty() ? " -\n" : "\n");
}

void show_buckets(const char* when, const std::array<names, 3>& all) {
    std::cout << "  " << when << "\n";
    for (std::size_t i = 0; i != 3; ++i) show_names("bucket " + std::to_string(i), all.at(i));
}

void collect_and_tell(int generation) {
    const auto before = buckets();
    show_buckets(("before collect(" + std::to_string(generation) + ")").c_str(), before);
    deleted.clear();
    collect(generation);
    std::sort(deleted.begin(), deleted.end());

    names marked, promoted;
    for (int from = 0; from <= generation; ++from) {
        names survivors;
        const names& bucket = before.at(static_cast<std::size_t>(from));
        std::set_difference(bucket.begin(), bucket.end(), deleted.begin(), deleted.end(),
                            std::back_inserter(survivors));
        marked.insert(marked.end(), survivors.begin(), survivors.end());
        const int to = std::min(generation + 1, 2);
        for (const auto& name : survivors) {
            promoted.push_back(name + ":" + std::to_string(from) + "->" + std::to_string(to));
        }
    }
    show_names("marked", marked);
    show_names("deleted", deleted);
    show_names("promoted", promoted);
    show_buckets("after", buckets());
}

void show_deleted() {
    if (deleted.empty()) return;
    std::sort(deleted.begin(), deleted.end());
    show_names("deleted", deleted);
    deleted.clear();
}

void make_pair_of_things(const std::string& a, const std::string& b) {
    auto x = make_ref<thing>(a), y = make_ref<thing>(b);
    x->holds = {y};
    y->holds = {x};
}

void three_buckets() {
    title(8, "counting isn't enough: three buckets, mark and sweep");
    disable();
    auto root = make_ref<thing>("root");
    root->holds.push_back(make_ref<thing>("leaf"));
    make_pair_of_things("ping", "pong");
    std::cout
        << "  ping and pong hold each other, one reference each: counting never frees them.\n";
    collect_and_tell(0);

    std::cout << "  new ones come; leaf gets into a cycle with root\n";
    root->holds.front()->holds.push_back(root);
    make_pair_of_things("tick", "tock");
    auto young = make_ref<thing>("young");
    collect_and_tell(1);

    std::cout << "  the label root goes: garbage in the oldest bucket\n";
    root = nullptr;
    make_pair_of_things("knit", "purl");
    collect_and_tell(1);
    collect_and_tell(2);
    young = nullptr; // not in a cycle: counting frees it here

    enable();
    const auto usual = get_threshold();
    set_threshold(5);
    std::cout << "  automatic: a collection when bucket 0 has more than " << get_threshold()[0]
              << " objects\n";
    deleted.clear();
    for (const char* pair : {"a", "b", "c", "d"}) {
        const names made{pair + std::string("1"), pair + std::string("2")};
        make_pair_of_things(made[0], made[1]);
        show_names("made", made);
        show_deleted();
    }
    set_threshold(usual[0]);
    std::cout << "  c1 and c2 were in use at that moment; collect() takes the rest\n";
    collect();
    show_deleted();
}

// ---- Slides 9 and 10

void two_mechanisms() {
    title(9, "two mechanisms: counting, and generational mark and sweep");
    disable();
    std::vector<py_ref<friendly>> held;
    for (int i = 0; i != 500; ++i) {
        held.push_back(make_ref<friendly>()); // alone
        make_friends();                       // a pair
    }
    std::cout << "  made                    1500 objects\n";
    const auto before = get_memory().objects;
    held.clear();
    std::cout << "  freed by counting      " << std::setw(5) << before - get_memory().objects
              << ", at the moment their last reference went\n";
    std::cout << "  freed by mark and sweep" << std::setw(5) << collect() << ", at collect()\n";
    std::cout << "  left                   " << std::setw(5) << get_memory().objects << "\n";
    enable();
}

void a_philosophical_choice() {
    title(10, "speed or ease: a philosophical choice");
    constexpr int times = 200'000;
    const auto show = [](const char* what, double shared, double ours) {
        std::cout << "  " << std::left << std::setw(30) << what << std::right << std::fixed
                  << std::setprecision(1) << std::setw(7) << shared * 1e6 / times << " ns"
                  << std::setw(9) << ours * 1e6 / times << " ns\n";
    };
    std::cout << "                              shared_ptr        pygc\n";
    std::vector<std::shared_ptr<int>> shared(times);
    std::vector<py_ref<int>> ours(times);
    show("make an object", milliseconds([&] {
             for (auto& r : shared) r = std::make_shared<int>(1);
         }),
         milliseconds([&] {
             for (auto& r : ours) r = make_ref<int>(1);
         }));
    std::vector<std::shared_ptr<int>> more_shared;
    std::vector<py_ref<int>> more_ours;
    more_shared.reserve(times);
    more_ours.reserve(times);
    show("copy a reference", milliseconds([&] { more_shared = shared; }),
         milliseconds([&] { more_ours = ours; }));
    show("drop a reference", milliseconds([&] { more_shared.clear(); }),
         milliseconds([&] { more_ours.clear(); }));
    show("drop the object", milliseconds([&] { shared.clear(); }),
         milliseconds([&] { ours.clear(); }));
    std::cout
        << "  bytes of a reference" << std::setw(19) << sizeof(std::shared_ptr<int>)
        << std::setw(12) << sizeof(py_ref<int>) << "\n"
        << "  Python pays with speed so that programs stay simple. Here the program is as simple, "
           "and\n"
        << "  cheap as long as counting does the work; slide 7 has the price of finding cycles.\n";
}

int main() {
    memory_is_drawn_from_pages();
    a_variable_is_a_label();
    what_changes_the_count();
    collect_cheerfully();
    one_program_three_ways();
    three_buckets();
    two_mechanisms();
    a_philosophical_choice();
}
