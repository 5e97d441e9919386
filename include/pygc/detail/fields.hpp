// SPDX-License-Identifier: BSL-1.0
// Hands the fields of a plain struct to a function. C++20 can't bind "all fields, however many", so
// each number has its line.
#pragma once

#include <cstddef>

#include <pygc/detail/field_count.hpp>

namespace pygc::inline PYGC_ABI::detail {

template <class T>
inline constexpr bool can_be_taken_apart = field_count<T> <= most_fields && !has_base_class<T>;

/// Returns `f(fields...)`, each as `const&`: that binds bit-fields too, and those who know that the
/// struct isn't const may cast it away for all others.
template <class T, class F>
constexpr decltype(auto) with_fields(const T& s, F&& f) {
    constexpr std::size_t n = field_count<T>;
    static_assert(can_be_taken_apart<T>,
                  "pygc: this plain struct can't be taken apart (it has more than 64 fields, a reference or a "
                  "base class); give it a line of its own: void traverse(auto& visit) { visit(a, b, c); }");
    // clang-format off
    if constexpr (n == 0) { return f(); }
    else if constexpr (n == 1) { const auto& [a] = s; return f(a); }
    else if constexpr (n == 2) { const auto& [a, b] = s; return f(a, b); }
    else if constexpr (n == 3) { const auto& [a, b, c] = s; return f(a, b, c); }
    else if constexpr (n == 4) { const auto& [a, b, c, d] = s; return f(a, b, c, d); }
    else if constexpr (n == 5) { const auto& [a, b, c, d, e] = s; return f(a, b, c, d, e); }
    else if constexpr (n == 6) { const auto& [a, b, c, d, e, f_] = s; return f(a, b, c, d, e, f_); }
    else if constexpr (n == 7) { const auto& [a, b, c, d, e, f_, g] = s; return f(a, b, c, d, e, f_, g); }
    else if constexpr (n == 8) { const auto& [a, b, c, d, e, f_, g, h] = s; return f(a, b, c, d, e, f_, g, h); }
    else if constexpr (n == 9) { const auto& [a, b, c, d, e, f_, g, h, i] = s; return f(a, b, c, d, e, f_, g, h, i); }
    else if constexpr (n == 10) { const auto& [a, b, c, d, e, f_, g, h, i, j] = s; return f(a, b, c, d, e, f_, g, h,
        i, j); }
    else if constexpr (n == 11) { const auto& [a, b, c, d, e, f_, g, h, i, j, k] = s; return f(a, b, c, d, e, f_, g,
        h, i, j, k); }
    else if constexpr (n == 12) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l] = s; return f(a, b, c, d, e, f_,
        g, h, i, j, k, l); }
    else if constexpr (n == 13) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m] = s; return f(a, b, c, d, e,
        f_, g, h, i, j, k, l, m); }
    else if constexpr (n == 14) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_] = s; return f(a, b, c, d,
        e, f_, g, h, i, j, k, l, m, n_); }
    else if constexpr (n == 15) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o] = s; return f(a, b, c,
        d, e, f_, g, h, i, j, k, l, m, n_, o); }
    else if constexpr (n == 16) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p] = s; return f(a, b,
        c, d, e, f_, g, h, i, j, k, l, m, n_, o, p); }
    else if constexpr (n == 17) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q] = s; return f(a,
        b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q); }
    else if constexpr (n == 18) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r] = s; return
        f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r); }
    else if constexpr (n == 19) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_] = s; return
        f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_); }
    else if constexpr (n == 20) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t] = s;
        return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t); }
    else if constexpr (n == 21) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u] = s;
        return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u); }
    else if constexpr (n == 22) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v] =
        s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v); }
    else if constexpr (n == 23) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w]
        = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w); }
    else if constexpr (n == 24) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x); }
    else if constexpr (n == 25) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y); }
    else if constexpr (n == 26) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z); }
    else if constexpr (n == 27) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z,
        a1); }
    else if constexpr (n == 28) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y,
        z, a1, b1); }
    else if constexpr (n == 29) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x,
        y, z, a1, b1, c1); }
    else if constexpr (n == 30) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1); }
    else if constexpr (n == 31) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u,
        v, w, x, y, z, a1, b1, c1, d1, e1); }
    else if constexpr (n == 32) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t,
        u, v, w, x, y, z, a1, b1, c1, d1, e1, f1); }
    else if constexpr (n == 33) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_,
        t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1); }
    else if constexpr (n == 34) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r,
        s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1); }
    else if constexpr (n == 35) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p,
        q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1); }
    else if constexpr (n == 36) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o,
        p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1); }
    else if constexpr (n == 37) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_,
        o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1); }
    else if constexpr (n == 38) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m,
        n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1); }
    else if constexpr (n == 39) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1] = s; return f(a, b, c, d, e, f_, g, h, i, j, k,
        l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1); }
    else if constexpr (n == 40) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1] = s; return f(a, b, c, d, e, f_, g, h, i, j,
        k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1); }
    else if constexpr (n == 41) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1] = s; return f(a, b, c, d, e, f_, g, h, i,
        j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1,
        o1); }
    else if constexpr (n == 42) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1] = s; return f(a, b, c, d, e, f_, g,
        h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1,
        n1, o1, p1); }
    else if constexpr (n == 43) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1] = s; return f(a, b, c, d, e, f_,
        g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1,
        m1, n1, o1, p1, q1); }
    else if constexpr (n == 44) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1] = s; return f(a, b, c, d, e,
        f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1,
        l1, m1, n1, o1, p1, q1, r1); }
    else if constexpr (n == 45) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1] = s; return f(a, b, c, d,
        e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1,
        k1, l1, m1, n1, o1, p1, q1, r1, s1); }
    else if constexpr (n == 46) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1] = s; return f(a, b,
        c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1,
        j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1); }
    else if constexpr (n == 47) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1] = s; return f(a,
        b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1,
        i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1); }
    else if constexpr (n == 48) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1] = s; return
        f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1,
        h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1); }
    else if constexpr (n == 49) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1] = s;
        return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1,
        f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1); }
    else if constexpr (n == 50) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1] = s;
        return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1,
        f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1); }
    else if constexpr (n == 51) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1] =
        s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1,
        e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1); }
    else if constexpr (n == 52) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1,
        z1] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1,
        d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1, z1); }
    else if constexpr (n == 53) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1,
        z1, a2] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1,
        c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1, z1, a2); }
    else if constexpr (n == 54) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1,
        z1, a2, b2] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z, a1,
        b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1, z1, a2, b2); }
    else if constexpr (n == 55) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1,
        z1, a2, b2, c2] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x, y, z,
        a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1, z1, a2,
        b2, c2); }
    else if constexpr (n == 56) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1,
        z1, a2, b2, c2, d2] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w, x,
        y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1, z1,
        a2, b2, c2, d2); }
    else if constexpr (n == 57) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1,
        z1, a2, b2, c2, d2, e2] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1,
        z1, a2, b2, c2, d2, e2); }
    else if constexpr (n == 58) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1,
        z1, a2, b2, c2, d2, e2, f2] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v,
        w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1,
        y1, z1, a2, b2, c2, d2, e2, f2); }
    else if constexpr (n == 59) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1,
        z1, a2, b2, c2, d2, e2, f2, g2] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t,
        u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1,
        x1, y1, z1, a2, b2, c2, d2, e2, f2, g2); }
    else if constexpr (n == 60) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1,
        z1, a2, b2, c2, d2, e2, f2, g2, h2] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_,
        t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1,
        w1, x1, y1, z1, a2, b2, c2, d2, e2, f2, g2, h2); }
    else if constexpr (n == 61) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1,
        z1, a2, b2, c2, d2, e2, f2, g2, h2, i2] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r,
        s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1,
        v1, w1, x1, y1, z1, a2, b2, c2, d2, e2, f2, g2, h2, i2); }
    else if constexpr (n == 62) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1,
        z1, a2, b2, c2, d2, e2, f2, g2, h2, i2, j2] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q,
        r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1,
        u1, v1, w1, x1, y1, z1, a2, b2, c2, d2, e2, f2, g2, h2, i2, j2); }
    else if constexpr (n == 63) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1,
        z1, a2, b2, c2, d2, e2, f2, g2, h2, i2, j2, k2] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o,
        p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1,
        t1, u1, v1, w1, x1, y1, z1, a2, b2, c2, d2, e2, f2, g2, h2, i2, j2, k2); }
    else if constexpr (n == 64) { const auto& [a, b, c, d, e, f_, g, h, i, j, k, l, m, n_, o, p, q, r, s_, t, u, v, w,
        x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1, s1, t1, u1, v1, w1, x1, y1,
        z1, a2, b2, c2, d2, e2, f2, g2, h2, i2, j2, k2, l2] = s; return f(a, b, c, d, e, f_, g, h, i, j, k, l, m, n_,
        o, p, q, r, s_, t, u, v, w, x, y, z, a1, b1, c1, d1, e1, f1, g1, h1, i1, j1, k1, l1, m1, n1, o1, p1, q1, r1,
        s1, t1, u1, v1, w1, x1, y1, z1, a2, b2, c2, d2, e2, f2, g2, h2, i2, j2, k2, l2); }
    // clang-format on
}

} // namespace pygc::inline PYGC_ABI::detail
