// SPDX-License-Identifier: BSL-1.0
// A small Lisp with closures: the program in which counting loses, and most interpreters leak.
//
// A call makes an environment; a closure keeps the environment it was made in; and as soon as that
// closure gets a name there, the environment keeps the closure:
//
//     environment { "step" -> closure }  <->  closure { where -> environment }
//
// No rule says which of the two should be weak. Here neither is, and nothing had to be written for
// it.
#include <cstddef>
#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <pygc/pygc.hpp>

using pygc::make_ref, pygc::py_ref;

struct pair;
struct closure;
struct environment;
struct builtin;

struct nil {};
struct symbol {
    std::string name;
};
using value = std::variant<nil, double, symbol, const builtin*, py_ref<pair>, py_ref<closure>>;

struct pair {
    value first;
    value rest;
};

struct closure {
    value parameters;
    value body;
    py_ref<environment> where;
};

struct environment {
    std::map<std::string, value> names;
    py_ref<environment> outer;
};

struct builtin {
    value (*apply)(const std::vector<value>& arguments);
};

// ---- lists

bool is_nil(const value& v) { return std::holds_alternative<nil>(v); }

const pair& pair_of(const value& v) {
    if (const auto* p = std::get_if<py_ref<pair>>(&v)) return **p;
    throw std::runtime_error("not a list");
}
const value& first(const value& v) { return pair_of(v).first; }
const value& rest(const value& v) { return pair_of(v).rest; }
const std::string& name_of(const value& v) { return std::get<symbol>(v).name; }

// ---- text -> value

class parser {
public:
    explicit parser(std::string text) : text_(std::move(text)) {}

    bool at_end() {
        at_ = text_.find_first_not_of(" \n", at_);
        return at_ == std::string::npos;
    }

    value parse() {
        if (at_end()) throw std::runtime_error("the program ends in the middle of a list");
        if (text_[at_] == '(') {
            ++at_;
            return parse_rest();
        }
        const std::size_t end = text_.find_first_of(" \n()", at_);
        const std::string word = text_.substr(at_, end - at_);
        at_ = end;
        const bool number = word.find_first_not_of("0123456789.") == std::string::npos;
        return number ? value(std::stod(word)) : value(symbol{word});
    }

private:
    value parse_rest() {
        if (!at_end() && text_[at_] == ')') {
            ++at_;
            return nil{};
        }
        value head = parse(); // before the rest
        return make_ref<pair>(std::move(head), parse_rest());
    }

    std::string text_;
    std::size_t at_ = 0;
};

// ---- evaluation

value& look_up(const std::string& name, environment& here) {
    for (environment* e = &here; e != nullptr; e = e->outer.get()) {
        if (const auto found = e->names.find(name); found != e->names.end()) return found->second;
    }
    throw std::runtime_error("nobody has defined " + name);
}

value evaluate(value expression, py_ref<environment> here) {
    for (;;) { // a call in tail position goes round, instead of deeper
        if (const auto* s = std::get_if<symbol>(&expression)) return look_up(s->name, *here);
        if (!std::holds_alternative<py_ref<pair>>(expression)) return expression;

        const value operands = rest(expression);
        if (const auto* s = std::get_if<symbol>(&first(expression))) {
            if (s->name == "quote") return first(operands);
            if (s->name == "if") {
                const value& branches = rest(operands);
                const bool yes = !is_nil(evaluate(first(operands), here));
                expression = yes ? first(branches) : first(rest(branches));
                continue;
            }
            if (s->name == "define") {
                return here->names[name_of(first(operands))] =
                           evaluate(first(rest(operands)), here);
            }
            if (s->name == "set!") {
                return look_up(name_of(first(operands)), *here) =
                           evaluate(first(rest(operands)), here);
            }
            if (s->name == "lambda")
                return make_ref<closure>(first(operands), rest(operands), here);
        }

        const value function = evaluate(first(expression), here);
        std::vector<value> arguments;
        for (value o = operands; !is_nil(o); o = value(rest(o)))
            arguments.push_back(evaluate(first(o), here));

        if (const auto* b = std::get_if<const builtin*>(&function)) return (*b)->apply(arguments);
        const auto* called = std::get_if<py_ref<closure>>(&function);
        if (called == nullptr) throw std::runtime_error("only functions can be called");

        here = make_ref<environment>();
        here->outer = (*called)->where;
        value parameters = (*called)->parameters;
        for (const value& argument : arguments) {
            here->names[name_of(first(parameters))] = argument;
            parameters = value(rest(parameters));
        }
        value body = (*called)->body;
        for (; !is_nil(rest(body)); body = value(rest(body))) evaluate(first(body), here);
        expression = value(first(body));
    }
}

template <class Operation>
value arithmetic(const std::vector<value>& arguments) {
    return double{
        Operation()(std::get<double>(arguments.at(0)), std::get<double>(arguments.at(1)))};
}

value less(const std::vector<value>& arguments) {
    if (std::get<double>(arguments.at(0)) < std::get<double>(arguments.at(1))) return 1.0;
    return nil{};
}

void run(const std::string& program) {
    static const builtin plus{arithmetic<std::plus<>>}, minus{arithmetic<std::minus<>>},
        times{arithmetic<std::multiplies<>>}, is_less{less};
    const auto global = make_ref<environment>();
    global->names = {{"+", &plus}, {"-", &minus}, {"*", &times}, {"<", &is_less}};
    value result;
    for (parser text(program); !text.at_end();) result = evaluate(text.parse(), global);
    std::cout << "  result: " << std::get<double>(result) << "\n"
              << "  living objects: " << pygc::get_objects().size() << " at the end, ";
}

int main() {
    const std::pair<const char*, const char*> programs[] = {
        {"recursion", R"(
    (define factorial (lambda (n) (if (< n 2) 1 (* n (factorial (- n 1))))))
    (factorial 10))"},
        {"a counter made by a closure", R"(
    (define make-counter (lambda () (define n 0) (lambda () (set! n (+ n 1)) n)))
    (define count (make-counter))
    (count) (count)
    (count))"},
        {"functions that call each other by name", R"(
    (define is-even (lambda (n) (if (< n 1) 1 (is-odd (- n 1)))))
    (define is-odd (lambda (n) (if (< n 1) 0 (is-even (- n 1)))))
    (is-even 10))"},
        {"a loop that makes a cycle on every turn", R"(
    (define turn (lambda (n) (define step (lambda () (- n 1))) (if (< n 1) 0 (turn (step)))))
    (turn 10000))"},
    };
    std::cout.precision(10);
    for (const auto& [title, program] : programs) {
        std::cout << title << ":" << program << "\n";
        const auto before = pygc::get_stats()[0];
        run(program);
        const auto after = pygc::get_stats()[0];
        std::cout << pygc::get_objects().size() << " after all references went, ";
        pygc::collect();
        std::cout << pygc::get_objects().size() << " after collect()\n";
        if (after.collections != before.collections) {
            std::cout << "  meanwhile: " << after.collections - before.collections
                      << " automatic collections freed " << after.collected - before.collected
                      << "\n";
        }
    }
}
