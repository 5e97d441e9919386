// SPDX-License-Identifier: BSL-1.0
// expect-output: use-after-poison(.|\n)*pygc: .* is .* bytes into a dead object of type node(.|\n)*(it died here(.|\n)*collect|PYGC_DEBUG=1)|^skipped: only AddressSanitizer sees
// Under AddressSanitizer, a look at the only object of its type is caught, although its page went back and is wanted by
// other types.
#include <support/environment.hpp>

#include <pygc/pygc.hpp>

#include <cstdio>

struct node : pygc::py_object {
    int value = 0;
    pygc::py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};

int main() {
    if (!support::with_address_sanitizer) {
        std::puts("skipped: only AddressSanitizer sees it");
        return 1;
    }
    auto n = pygc::make_ref<node>();
    node volatile* const raw = n.get();
    n->next = n;
    n = nullptr;
    if (raw->value != 0 || pygc::collect() != 1) return 0;
    const auto other = pygc::make_ref<int>(1);
    return raw->value;
}
