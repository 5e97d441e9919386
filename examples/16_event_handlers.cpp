// SPDX-License-Identifier: BSL-1.0
// Objects that own functions which refer back to them: the cycle that std::function hides and leaks.
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pygc/pygc.hpp>

using namespace pygc;

namespace before {

struct button {
    std::string text;
    std::function<void()> on_click;
    ~button() { std::cout << "  " << text << " is gone\n"; }
};

std::weak_ptr<button> make() {
    auto b = std::make_shared<button>();
    b->text = "OK";
    b->on_click = [b] { std::cout << "  " << b->text << " was clicked\n"; };
    b->on_click();
    return b;
}

} // namespace before

struct window;

struct button : py_object {
    std::string text;
    py_ref<window> parent;
    py_function<void(int)> on_click;

    explicit button(std::string t) : text(std::move(t)) {}
    ~button() { std::cout << "  " << text << " is gone\n"; }
    void traverse(auto& visit) { visit(parent, on_click); }
};

struct window : py_object {
    std::vector<py_ref<button>> buttons;
    int total = 0;

    void traverse(auto& visit) { visit(buttons); }
    void add(const std::string& text) {
        auto b = make_ref<button>(text);
        b->parent = borrow(this);
        buttons.push_back(b);
    }
    void close() { buttons.clear(); }
};

/// A function object with fields: they are seen as well.
struct add_to_total {
    py_ref<window> where;
    int factor;
    void operator()(int clicks) { where->total += factor * clicks; }
};

int main() {
    std::cout << "With shared_ptr and std::function the button owns a function that owns the button:\n";
    const auto leaked = before::make();
    std::cout << "  nobody has it, and it is " << (leaked.expired() ? "gone" : "still there") << "\n";
    leaked.lock()->on_click = nullptr; // only a crowbar helps

    auto w = make_ref<window>();
    for (const char* text : {"one", "ten", "close"}) w->add(text);

    std::cout << "What a py_function captures stands behind the lambda, and comes after the arguments:\n";
    w->buttons[0]->on_click = {[](int clicks, py_ref<button>& self) {
                                   self->parent->total += clicks;
                                   std::cout << "  " << self->text << " was clicked\n";
                               },
                               w->buttons[0]};
    w->buttons[1]->on_click = add_to_total{w, 10};
    w->buttons[2]->on_click = {[](int, py_ref<window>& window) { window->close(); }, w};
    w->buttons[0]->on_click(2);
    w->buttons[1]->on_click(3);
    std::cout << "  total: " << w->total << "\n";

    std::cout << "Copies are the same function:\n";
    const auto copy = w->buttons[1]->on_click;
    copy(1);
    std::cout << "  total: " << w->total << "\n";

    std::cout << "A function may end what it belongs to while it runs:\n";
    const auto close = w->buttons[2]->on_click;
    w->buttons[2]->on_click(1);
    std::cout << "  buttons left: " << w->buttons.size() << "\n";

    std::cout << "The one that captured itself goes with a collection:\n";
    collect();

    std::cout << "An empty function says so:\n";
    const py_function<void()> nothing;
    try {
        nothing();
    } catch (const type_error& e) {
        std::cout << "  " << e.what() << "\n";
    }
}
