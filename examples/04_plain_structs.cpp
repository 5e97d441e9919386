// SPDX-License-Identifier: BSL-1.0
// Nothing to write: the references of plain structs are found in whatever they hide in.
#include <array>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <pygc/pygc.hpp>

using namespace pygc;

struct city;

struct road {
    py_ref<city> to;
    double kilometres = 0;
};

// No base class, no constructor, no traverse.
struct city {
    std::string name;
    py_ref<city> next;
    road roads[2][2];
    std::optional<py_ref<city>> twin;
    std::variant<std::monostate, int, py_ref<city>> capital;
    std::vector<std::array<road, 2>> detours;
    std::map<std::string, py_ref<city>> gates;
    std::tuple<int, py_ref<city>> rival;
    std::unique_ptr<road> shortcut;
};

int main() {
    // Each function closes a cycle through another kind of field.
    using link = void (*)(city&, const py_ref<city>&);
    const std::pair<const char*, link> ways[] = {
        {"a reference", [](city& a, const py_ref<city>& b) { a.next = b; }},
        {"structs in a C array", [](city& a, const py_ref<city>& b) { a.roads[1][0].to = b; }},
        {"an optional", [](city& a, const py_ref<city>& b) { a.twin = b; }},
        {"a variant", [](city& a, const py_ref<city>& b) { a.capital = b; }},
        {"arrays in a vector",
         [](city& a, const py_ref<city>& b) { a.detours.emplace_back()[1].to = b; }},
        {"a map", [](city& a, const py_ref<city>& b) { a.gates["north"] = b; }},
        {"a tuple", [](city& a, const py_ref<city>& b) { std::get<1>(a.rival) = b; }},
        {"a unique_ptr",
         [](city& a, const py_ref<city>& b) {
             a.shortcut.reset(new road{b, 7});
         }},
    };
    for (const auto& [kind, close] : ways) {
        {
            auto bonn = make_ref<city>("Bonn"), cologne = make_ref<city>("Cologne");
            close(*bonn, cologne);
            close(*cologne, bonn);
        }
        std::cout << "a cycle through " << kind << ": " << collect() << " collected\n";
    }

    // What can't be part of a cycle isn't even registered: it costs the collector nothing.
    std::cout << std::boolalpha << "tracked? city " << is_tracked(make_ref<city>()) << ", int "
              << is_tracked(make_ref<int>(42)) << ", vector<string> "
              << is_tracked(make_ref<std::vector<std::string>>()) << "\n";
}
