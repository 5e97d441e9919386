// SPDX-License-Identifier: BSL-1.0
// A cache that keeps nothing alive: pictures are shared while somebody uses them and vanish afterwards.
#include <iostream>
#include <set>
#include <string>
#include <utility>

#include <pygc/pygc.hpp>

using namespace pygc;

struct picture : py_object {
    std::string file;
    py_ref<picture> thumbnail;

    explicit picture(std::string f) : file(std::move(f)) {}
    ~picture() { std::cout << "  " << file << " is gone\n"; }
    void traverse(auto& visit) { visit(thumbnail); }
};

class gallery {
public:
    py_ref<picture> open(const std::string& file) {
        // get() gives a reference that keeps the picture alive, or null if it is gone.
        if (auto found = cache_.get(file)) {
            std::cout << "  " << file << " is in the cache\n";
            return found;
        }
        std::cout << "  " << file << " is loaded\n";
        auto loaded = make_ref<picture>(file);
        cache_.set(file, loaded);
        return loaded;
    }
    void show() const {
        std::set<std::string> files; // the map has no order
        for (const auto& [file, shown] : cache_) files.insert(file);
        std::cout << "  " << cache_.size() << " in the cache:";
        for (const auto& file : files) std::cout << ' ' << file;
        std::cout << "\n";
    }

private:
    weak_value_map<std::string, picture> cache_;
};

int main() {
    gallery pictures;
    std::cout << "Whoever opens the same file gets the same picture:\n";
    auto cat = pictures.open("cat.png");
    auto again = pictures.open("cat.png");
    std::cout << "  the same: " << (cat == again) << "\n";
    auto dog = pictures.open("dog.png");
    pictures.show();

    std::cout << "The last reference to the cat goes, and with it the entry:\n";
    cat = nullptr;
    again = nullptr;
    pictures.show();

    std::cout << "The dog is its own thumbnail, a cycle, so it stays until a collection:\n";
    dog->thumbnail = dog;
    dog = nullptr;
    pictures.show();
    collect();
    pictures.show();

    std::cout << "It can be loaded again:\n";
    dog = pictures.open("dog.png");
    pictures.show();
    std::cout << "The end:\n";
}
