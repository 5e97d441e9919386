// SPDX-License-Identifier: BSL-1.0
// Templates write visit(value) for values of any type: those that are known to own nothing are no mistake.
#include <pygc/pygc.hpp>

#include <array>
#include <chrono>
#include <complex>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <vector>

struct point {
    double x, y;
    const char* name;
};
enum class colour { red };
struct file_closer {
    void operator()(int* p) const { delete p; }
};

template <class... T>
struct cell : pygc::py_object {
    std::tuple<T...> value;
    void traverse(auto& visit) {
        std::apply([&](auto&... each) { visit(each...); }, value);
    }
};

void make() {
    static_cast<void>(pygc::make_ref<cell<
        int, double, colour, const char*, void*, std::string, std::string_view, std::vector<std::string>, std::span<int>,
        std::vector<bool>, point, std::array<point, 3>, std::map<int, std::string>, std::chrono::milliseconds,
        std::complex<double>, std::filesystem::path, std::error_code, std::ofstream, std::unique_ptr<int, file_closer>,
        std::thread, std::pair<pygc::py_ref<int>, cell<int>*>>>());
    static_cast<void>(pygc::make_ref<cell<std::mutex, std::once_flag, std::locale, std::error_condition>>());
}
