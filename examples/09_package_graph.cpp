// SPDX-License-Identifier: BSL-1.0
// The packages of a Debian system as a graph with references both ways, in pygc and in shared_ptr.
#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <malloc.h>

#include <pygc/pygc.hpp>

// Counts what names, vectors and shared_ptr take from operator new; pygc counts its own pages. Not
// inlined: g++ would warn of a `new` that it sees freed by `free`.
std::size_t bytes_from_new = 0;

[[gnu::noinline]] void* operator new(std::size_t size) {
    void* const p = std::malloc(size);
    if (p == nullptr) throw std::bad_alloc();
    bytes_from_new += malloc_usable_size(p);
    return p;
}
[[gnu::noinline]] void operator delete(void* p) noexcept {
    bytes_from_new -= malloc_usable_size(p);
    std::free(p);
}
void operator delete(void* p, std::size_t) noexcept { ::operator delete(p); }

struct input_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

enum class relation : std::uint8_t { depends, pre_depends, recommends, provides };
constexpr std::array<const char*, 4> names_of_relations = {"Depends", "Pre-Depends", "Recommends",
                                                           "Provides"};

// ---- The file: stanzas of fields, as dpkg writes them

struct field {
    std::string text;
    std::size_t line = 0;
};
using stanza = std::unordered_map<std::string, field>;

// Part of a line, fit to be quoted in a message of one line.
std::string excerpt(std::string_view text) {
    std::string result = "'";
    for (const char c : text.substr(0, 40)) result += c >= ' ' && c <= '~' ? c : '?';
    return result + (text.size() > 40 ? "...'" : "'");
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

[[noreturn]] void malformed(const std::string& path, std::size_t line, const std::string& what) {
    throw input_error(path + ":" + std::to_string(line) + ": " + what);
}

std::vector<stanza> read_stanzas(const std::string& path) {
    errno = 0;
    std::ifstream file(path);
    if (!file) throw input_error(path + ": " + std::strerror(errno));
    std::vector<stanza> stanzas;
    stanza current;
    field* last = nullptr;
    std::size_t number = 0, first = 0;
    const auto finish = [&] {
        if (current.empty()) return;
        if (!current.contains("Package"))
            malformed(path, first, "a stanza without the field Package");
        stanzas.push_back(std::exchange(current, {}));
        last = nullptr;
    };
    for (std::string line; std::getline(file, line);) {
        ++number;
        if (line.ends_with('\r')) line.pop_back();
        if (line.empty()) {
            finish();
            continue;
        }
        if (line[0] == ' ' || line[0] == '\t') {
            if (last == nullptr) malformed(path, number, "a continuation line without a field");
            last->text.append(" ").append(trimmed(line));
            continue;
        }
        const std::size_t colon = line.find(':');
        if (colon == 0 || colon == std::string::npos)
            malformed(path, number, "no field name in " + excerpt(line));
        if (current.empty()) first = number;
        const auto [at, is_new] = current.try_emplace(line.substr(0, colon));
        if (!is_new) malformed(path, number, "the field " + excerpt(at->first) + " is there twice");
        last = &at->second;
        *last = {std::string(trimmed(std::string_view(line).substr(colon + 1))), number};
    }
    if (file.bad())
        throw input_error(path + ": " + (errno != 0 ? std::strerror(errno) : "reading failed"));
    finish();
    return stanzas;
}

// ---- From stanzas to nodes and edges, still as numbers

struct plan {
    struct edge {
        std::uint32_t from;
        std::uint32_t to;
        relation kind;
    };
    std::vector<std::string> names; // installed packages, then virtual ones
    std::size_t installed = 0;
    std::size_t unresolved = 0; // alternatives that no installed package satisfies
    std::vector<edge> edges;
};

// The names in "a (>= 1) | b:any, c [amd64]".
std::vector<std::string> package_names(const std::string& path, const field& f) {
    std::vector<std::string> names;
    std::size_t begin = 0;
    while (begin < f.text.size()) {
        const std::size_t end = std::min(f.text.find_first_of(",|", begin), f.text.size());
        const std::string_view item = trimmed(std::string_view(f.text).substr(begin, end - begin));
        const std::string_view name = item.substr(0, item.find_first_of(" :([<"));
        const auto allowed = [](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' ||
                   c == '.' || c == '_';
        };
        if (name.empty() || !std::all_of(name.begin(), name.end(), allowed)) {
            malformed(path, f.line, excerpt(item) + " names no package");
        }
        if ((item.find('(') == std::string_view::npos) !=
            (item.find(')') == std::string_view::npos)) {
            malformed(path, f.line, "a parenthesis is missing in " + excerpt(item));
        }
        names.emplace_back(name);
        begin = end + 1;
    }
    return names;
}

bool is_installed(const stanza& s) {
    const auto status = s.find("Status");
    if (status == s.end()) return true; // a list of an archive, not of a system
    return !status->second.text.ends_with("not-installed") &&
           !status->second.text.ends_with("config-files");
}

plan make_plan(const std::string& path) {
    std::vector<stanza> stanzas = read_stanzas(path);
    std::erase_if(stanzas, [](const stanza& s) { return !is_installed(s); });
    if (stanzas.empty()) throw input_error(path + ": no installed package in it");

    plan result;
    result.installed = stanzas.size();
    std::unordered_map<std::string, std::vector<std::uint32_t>> satisfied_by;
    for (const stanza& s : stanzas) {
        const field& name = s.at("Package");
        if (package_names(path, name).size() != 1)
            malformed(path, name.line, "not one package name");
        satisfied_by[name.text].push_back(static_cast<std::uint32_t>(result.names.size()));
        result.names.push_back(name.text);
    }

    // A provided name becomes a node between those who need it and those who provide it.
    std::unordered_map<std::string, std::uint32_t> virtual_packages;
    for (std::uint32_t from = 0; from != stanzas.size(); ++from) {
        const auto provides = stanzas[from].find("Provides");
        if (provides == stanzas[from].end()) continue;
        for (const std::string& name : package_names(path, provides->second)) {
            const auto next = static_cast<std::uint32_t>(result.names.size());
            const auto [at, is_new] = virtual_packages.try_emplace(name, next);
            if (is_new) {
                result.names.push_back(name);
                satisfied_by[name].push_back(next);
            }
            result.edges.push_back({at->second, from, relation::provides});
        }
    }

    for (std::uint32_t from = 0; from != stanzas.size(); ++from) {
        for (const relation kind :
             {relation::depends, relation::pre_depends, relation::recommends}) {
            const auto needs =
                stanzas[from].find(names_of_relations.at(static_cast<std::size_t>(kind)));
            if (needs == stanzas[from].end()) continue;
            for (const std::string& name : package_names(path, needs->second)) {
                const auto found = satisfied_by.find(name);
                if (found == satisfied_by.end()) {
                    ++result.unresolved;
                    continue;
                }
                for (const std::uint32_t to : found->second)
                    result.edges.push_back({from, to, kind});
            }
        }
    }
    return result;
}

// ---- The graph: one class, two kinds of references

struct with_pygc {
    template <class T>
    using ref = pygc::py_ref<T>;
    template <class T>
    static ref<T> make(auto&&... args) {
        return pygc::make_ref<T>(args...);
    }
};

struct with_shared_ptr {
    template <class T>
    using ref = std::shared_ptr<T>;
    template <class T>
    static ref<T> make(auto&&... args) {
        return std::make_shared<T>(args...);
    }
};

template <class pointers>
struct package {
    using ref = typename pointers::template ref<package>;
    struct link {
        ref to;
        relation kind;
    };

    std::string name;
    std::uint32_t number;
    std::vector<link> needs;
    std::vector<link> needed_by;

    static inline std::size_t living = 0;
    package(const std::string& name_, std::uint32_t number_) : name(name_), number(number_) {
        ++living;
    }
    ~package() { --living; }
    package(const package&) = delete;
    package& operator=(const package&) = delete;

    // All that pygc asks for; shared_ptr has no use for it.
    void traverse(auto& visit) { visit(needs, needed_by); }
};

template <class pointers>
using graph = std::vector<typename package<pointers>::ref>;

template <class pointers>
graph<pointers> build(const plan& p) {
    graph<pointers> packages;
    packages.reserve(p.names.size());
    for (const std::string& name : p.names) {
        const auto number = static_cast<std::uint32_t>(packages.size());
        packages.push_back(pointers::template make<package<pointers>>(name, number));
    }
    for (const auto& [from, to, kind] : p.edges) {
        packages[from]->needs.push_back({packages[to], kind});
        packages[to]->needed_by.push_back({packages[from], kind});
    }
    return packages;
}

// Tarjan's algorithm with a stack of its own, along `needs`. Returns the groups of more than one
// package, largest first; within a group, packages in the order of the file.
template <class pointers>
std::vector<std::vector<const package<pointers>*>>
connected_groups(const graph<pointers>& packages) {
    using node = const package<pointers>;
    struct visit {
        node* at;
        std::size_t next_link;
    };
    constexpr std::uint32_t unseen = 0;
    std::vector<std::uint32_t> order(packages.size(), unseen), low(packages.size());
    std::vector<bool> waiting(packages.size());
    std::vector<node*> stack;
    std::vector<visit> path;
    std::vector<std::vector<node*>> groups;
    std::uint32_t seen = 0;
    const auto enter = [&](node* n) {
        order[n->number] = low[n->number] = ++seen;
        waiting[n->number] = true;
        stack.push_back(n);
        path.push_back({n, 0});
    };
    for (const auto& start : packages) {
        if (order[start->number] == unseen) enter(start.get());
        while (!path.empty()) {
            auto& [n, next_link] = path.back();
            if (next_link != n->needs.size()) {
                node* to = n->needs[next_link++].to.get();
                if (order[to->number] == unseen) {
                    enter(to);
                } else if (waiting[to->number]) {
                    low[n->number] = std::min(low[n->number], order[to->number]);
                }
                continue;
            }
            node* done = n;
            path.pop_back();
            if (!path.empty()) {
                std::uint32_t& above = low[path.back().at->number];
                above = std::min(above, low[done->number]);
            }
            if (low[done->number] != order[done->number]) continue;
            const auto begin = std::find(stack.rbegin(), stack.rend(), done).base() - 1;
            for (auto i = begin; i != stack.end(); ++i) waiting[(*i)->number] = false;
            if (stack.end() - begin > 1) groups.emplace_back(begin, stack.end());
            stack.erase(begin, stack.end());
        }
    }
    const auto by_number = [](node* a, node* b) { return a->number < b->number; };
    for (auto& group : groups) std::sort(group.begin(), group.end(), by_number);
    std::sort(groups.begin(), groups.end(), [&](const auto& a, const auto& b) {
        return a.size() != b.size() ? a.size() > b.size() : by_number(a.front(), b.front());
    });
    return groups;
}

// ---- What is measured

double milliseconds(const auto& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
}

std::size_t bytes_in_use() {
    const auto m = pygc::get_memory();
    return bytes_from_new + m.live + m.free;
}

struct measurements {
    double build_time = 0, drop_time = 0, collect_time = 0;
    std::size_t bytes_built = 0, bytes_dropped = 0, bytes_collected = 0;
    std::size_t built = 0, dropped = 0, collected = 0;
};

void describe(const plan& p, const graph<with_pygc>& packages) {
    std::cout << "  packages                     " << std::setw(8) << p.installed << "\n"
              << "  virtual packages             " << std::setw(8) << p.names.size() - p.installed
              << "\n";
    for (std::size_t kind = 0; kind != names_of_relations.size(); ++kind) {
        const auto of_kind = std::count_if(p.edges.begin(), p.edges.end(), [&](const auto& e) {
            return e.kind == static_cast<relation>(kind);
        });
        std::cout << "  edges of " << std::left << std::setw(20) << names_of_relations.at(kind)
                  << std::right << std::setw(8) << of_kind << "\n";
    }
    std::cout << "  alternatives not installed   " << std::setw(8) << p.unresolved << "\n";

    const auto groups = connected_groups<with_pygc>(packages);
    std::cout << "  strongly connected groups    " << std::setw(8) << groups.size() << "\n";
    constexpr std::size_t shown = 5;
    for (std::size_t i = 0; i != std::min(shown, groups.size()); ++i) {
        std::cout << std::setw(6) << groups[i].size() << ":";
        for (const auto* member : groups[i]) std::cout << ' ' << member->name;
        std::cout << "\n";
    }
}

measurements measure_pygc(const plan& p) {
    using node = package<with_pygc>;
    measurements m;
    const std::size_t before = bytes_in_use();
    graph<with_pygc> packages;
    m.build_time = milliseconds([&] { packages = build<with_pygc>(p); });
    m.built = node::living;
    m.bytes_built = bytes_in_use() - before;
    describe(p, packages);
    m.drop_time = milliseconds([&] { graph<with_pygc>().swap(packages); });
    m.dropped = node::living;
    m.bytes_dropped = bytes_in_use() - before;
    m.collect_time = milliseconds([] { pygc::collect(); });
    m.collected = node::living;
    m.bytes_collected = bytes_in_use() - before;
    return m;
}

measurements measure_shared_ptr(const plan& p) {
    using node = package<with_shared_ptr>;
    measurements m;
    std::vector<std::weak_ptr<node>> ways_back;
    ways_back.reserve(p.names.size());
    const std::size_t before = bytes_in_use();
    graph<with_shared_ptr> packages;
    m.build_time = milliseconds([&] { packages = build<with_shared_ptr>(p); });
    m.built = node::living;
    m.bytes_built = bytes_in_use() - before;
    ways_back.assign(packages.begin(), packages.end());
    m.drop_time = milliseconds([&] { graph<with_shared_ptr>().swap(packages); });
    m.dropped = m.collected = node::living;
    m.bytes_dropped = m.bytes_collected = bytes_in_use() - before;

    // Leaked. Only because this program noted a way back to each one can it still cut them apart.
    for (const auto& way : ways_back) {
        const auto leaked = way.lock();
        if (leaked == nullptr) continue;
        leaked->needs.clear();
        leaked->needed_by.clear();
    }
    return m;
}

void show(const measurements& a, const measurements& b) {
    const auto row = [](const char* what, auto left, auto right, const char* unit) {
        std::cout << "  " << std::left << std::setw(29) << what << std::right << std::fixed
                  << std::setprecision(2) << std::setw(8) << left << std::setw(12) << right << unit
                  << "\n";
    };
    std::cout << "                                   pygc  shared_ptr\n";
    row("built: living", a.built, b.built, "");
    row("  in", a.build_time, b.build_time, " ms");
    row("  bytes in use", a.bytes_built, b.bytes_built, "");
    std::cout << "the last reference from outside is dropped\n";
    row("freed by counting alone", a.built - a.dropped, b.built - b.dropped, "");
    row("  in", a.drop_time, b.drop_time, " ms");
    row("  still living", a.dropped, b.dropped, "");
    row("  bytes in use", a.bytes_dropped, b.bytes_dropped, "");
    std::cout << "collect()\n";
    row("freed", a.dropped - a.collected, b.dropped - b.collected, "");
    row("  in", a.collect_time, b.collect_time, " ms");
    row("  still living", a.collected, b.collected, "");
    row("  bytes in use", a.bytes_collected, b.bytes_collected, "");
    row("  bytes returned", a.bytes_dropped - a.bytes_collected,
        b.bytes_dropped - b.bytes_collected, "");
}

constexpr const char* usage = R"(usage: package_graph [FILE | --sample]
Reads the installed packages from FILE, by default /var/lib/dpkg/status, and builds their graph.
  --sample  reads the sample that comes with the examples
  --help    shows this
)";

// The file to read; empty if help was asked for.
std::string file_to_read(const std::vector<std::string>& arguments) {
    const std::string system = "/var/lib/dpkg/status";
    const std::string sample =
        (std::filesystem::path(__FILE__).parent_path() / "data" / "status.sample").string();
    std::string chosen;
    for (const std::string& argument : arguments) {
        if (argument == "--help") return "";
        if (argument != "--sample" && argument.starts_with("-")) {
            throw input_error("unknown option " + excerpt(argument) + "; try --help");
        }
        if (argument.empty() || !chosen.empty()) throw input_error("name one file; try --help");
        chosen = argument == "--sample" ? sample : argument;
    }
    if (!chosen.empty()) return chosen;
    if (std::filesystem::exists(system)) return system;
    std::cout << "there is no " << system << " here, so this is the sample\n";
    return sample;
}

int main(int argc, char** argv) {
    try {
        const std::string path = file_to_read({argv + 1, argv + argc});
        if (path.empty()) {
            std::cout << usage;
            return 0;
        }
        const plan p = make_plan(path);
        std::cout << path << "\n";
        const measurements ours = measure_pygc(p);
        show(ours, measure_shared_ptr(p));
    } catch (const std::exception& error) {
        std::cerr << "package_graph: " << error.what() << "\n";
        return 2;
    }
}
