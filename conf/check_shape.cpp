#include "conf/check_shape.hpp"

#include "conf/check_value.hpp"
#include "conf/known_keys.hpp"
#include "conf/suggest.hpp"
#include "conf/unsupported.hpp"
#include "conf/words.hpp"

#include <algorithm>
#include <string>

namespace penstock::conf {

namespace {

// Where the walk is: in the file (routes[2].match) and in the table (routes[].match).
struct spot {
    std::string path;
    std::string known_path;

    [[nodiscard]] spot member(std::string const& key) const { return {join(path, key), join(known_path, key)}; }
    [[nodiscard]] spot chosen_name(std::string const& name) const { return {join(path, name), join(known_path, "*")}; }
    [[nodiscard]] spot element(std::size_t i) const { return {path + '[' + std::to_string(i) + ']', known_path + "[]"}; }

private:
    static std::string join(std::string const& front, std::string const& back)
    {
        return front.empty() ? back : front + '.' + back;
    }
};

constexpr std::int64_t most_compared = 1000; // elements beyond a bound that are still looked at together

class walk {
public:
    explicit walk(problem_list& problems) : problems_(problems) {}

    [[nodiscard]] bool is_comparable() const noexcept { return is_comparable_; }

    void members(node const& section, spot const& here)
    {
        for (auto const& m : section.members) member(m, here.member(m.key), here.known_path);
        for (auto const key : keys_below(here.known_path)) {
            auto const below = here.member(std::string{key});
            if (find_known(below.known_path)->needed == presence::required && section.find_member(key) == nullptr) {
                problems_.error(section.at, below.path, "is missing; " + example_of(key));
            }
        }
    }

private:
    // As the table has it: the value itself may hold a password.
    static std::string shown(std::string_view pattern)
    {
        if (!pattern.ends_with('*')) return std::string{pattern};
        return std::string{pattern.substr(0, pattern.size() - 1)} + "...";
    }

    static std::string example_of(std::string_view key) { return "add `" + std::string{key} + ":` here"; }

    void member(struct member const& m, spot const& here, std::string const& parent)
    {
        if (auto const* known = find_known(here.known_path)) {
            value(m.value, here, *known);
        } else if (auto const* later = find_unsupported_key(here.known_path)) {
            problems_.error(m.key_at, here.path, "is not supported by this version; " + std::string{later->instead});
        } else {
            auto near = keys_below(parent);
            append_unsupported(near, parent);
            problems_.error(m.key_at, here.path, "unknown key; " + suggestion(m.key, near));
        }
    }

    static void append_unsupported(std::vector<std::string_view>& keys, std::string_view parent)
    {
        for (auto const& part : unsupported_parts()) {
            auto const dot = part.path.rfind('.');
            if (part.value.empty() && dot != std::string_view::npos && part.path.substr(0, dot) == parent) {
                keys.push_back(part.path.substr(dot + 1));
            }
        }
    }

    void value(node const& v, spot const& here, known_key const& known)
    {
        switch (v.is) {
        case node::kind::null: problems_.error(v.at, here.path, "has no value; give it one or remove the key"); return;
        case node::kind::scalar:
            if (v.is_scalar()) scalar(v, here, known);
            return;
        case node::kind::list: list(v, here, known); return;
        case node::kind::map: map(v, here, known); return;
        }
    }

    void scalar(node const& v, spot const& here, known_key const& known)
    {
        auto const words = split_words(known.words);
        bool const is_word = std::find(words.begin(), words.end(), v.text) != words.end();
        if (known.form == value_form::list_or_one && !is_word) {
            auto const element = here.known_path + "[]";
            scalar(v, {here.path, element}, *find_known(element));
        } else if (auto const* later = find_unsupported_value(here.known_path, v.text)) {
            problems_.error(v.at, here.path,
                            "'" + shown(later->value) + "' is not supported by this version; " + std::string{later->instead});
        } else if (auto what = problem_with_value(known, v); !what.empty()) {
            problems_.error(v.at, here.path, std::move(what));
        }
    }

    void list(node const& v, spot const& here, known_key const& known)
    {
        if (known.form != value_form::list && known.form != value_form::list_or_one) {
            problems_.error(v.at, here.path,
                            known.form == value_form::section || known.form == value_form::names ||
                                    known.form == value_form::callers
                                ? "must be a section of keys, not a list"
                                : "must be a single value, not a list");
            return;
        }
        check_count(v.items.size(), v, here, known);
        for (std::size_t i = 0; i < v.items.size(); ++i) {
            auto const below = here.element(i);
            value(v.items[i], below, *find_known(below.known_path));
        }
    }

    void map(node const& v, spot const& here, known_key const& known)
    {
        if (known.form == value_form::callers) {
            check_count(v.members.size(), v, here, known);
            for (std::size_t i = 0; i < v.members.size(); ++i) caller(v.members[i], here, i);
        } else if (known.form == value_form::names) {
            check_count(v.members.size(), v, here, known);
            for (auto const& m : v.members) chosen_name(m, here.chosen_name(m.key));
        } else if (known.form == value_form::section || has_members(here.known_path)) {
            members(v, here);
        } else if (known.form == value_form::list || known.form == value_form::list_or_one) {
            problems_.error(v.at, here.path, "must be a list, not a section; begin each element with `- `");
        } else {
            problems_.error(v.at, here.path, "must be a single value, not a section");
        }
    }

    // Shown by its number: it may be a secret that stands here by mistake.
    void caller(struct member const& m, spot const& here, std::size_t i)
    {
        spot const below{here.element(i).path, here.chosen_name({}).known_path};
        value(m.value, below, *find_known(below.known_path));
    }

    void chosen_name(struct member const& m, spot const& here)
    {
        if (!is_name(m.key)) {
            problems_.error(m.key_at, here.path, "is not a name; a name has 1 to 64 letters, digits, '.', '_' or '-'");
        }
        value(m.value, here, *find_known(here.known_path));
    }

    void check_count(std::size_t count, node const& v, spot const& here, known_key const& known)
    {
        auto const n = static_cast<std::int64_t>(count);
        if (n >= known.least && n <= known.most) return;
        if (n > known.most && n > most_compared) is_comparable_ = false;
        problems_.error(v.at, here.path,
                        "has " + std::to_string(n) + " elements; give it " + std::to_string(known.least) + " to " +
                            std::to_string(known.most));
    }

    problem_list& problems_;
    bool is_comparable_ = true;
};

} // namespace

bool check_shape(node const& root, problem_list& problems)
{
    walk over{problems};
    over.members(root, {});
    return over.is_comparable();
}

} // namespace penstock::conf
