// SPDX-License-Identifier: BSL-1.0
// A cache that keeps nothing alive: pictures are shared while somebody uses them and vanish afterwards.
#include <iostream>
#include <string>
#include <unordered_map>
#include <utility>

#include <pygc/pygc.hpp>

using namespace pygc;

struct picture : py_object {
    std::string file;
    py_ref<picture> thumbnail; // refers back: the two are a cycle

    explicit picture(std::string f) : file(std::move(f)) {}
    void traverse(auto& visit) { visit(thumbnail); }
};

class gallery {
public:
    py_ref<picture> open(const std::string& file) {
        // lock() gives a reference that keeps the picture alive, or null if it is gone.
        if (auto found = cache_[file].lock()) {
            std::cout << "  " << file << " is in the cache\n";
            return found;
        }
        std::cout << "  " << file << " is loaded\n";
        auto loaded = make_ref<picture>(file);
        // The callback takes the entry out when the picture has died. It may not refer to the picture.
        cache_[file] = py_weakref<picture>(loaded, [this, file] {
            std::cout << "  " << file << " leaves the cache\n";
            cache_.erase(file);
        });
        return loaded;
    }
    void show() const { std::cout << "  the cache has " << cache_.size() << " entries\n"; }

private:
    std::unordered_map<std::string, py_weakref<picture>> cache_;
};

int main() {
    gallery pictures;
    std::cout << "Whoever opens the same file gets the same picture:\n";
    auto cat = pictures.open("cat.png");
    auto again = pictures.open("cat.png");
    std::cout << "  the same: " << (cat == again) << "\n";
    auto dog = pictures.open("dog.png");
    pictures.show();

    std::cout << "The last reference to the cat goes:\n";
    cat = nullptr;
    again = nullptr;
    pictures.show();

    std::cout << "The dog is part of a cycle, so it stays until a collection:\n";
    dog->thumbnail = make_ref<picture>("dog-small.png");
    dog->thumbnail->thumbnail = dog;
    dog = nullptr;
    pictures.show();
    collect();
    pictures.show();
}
