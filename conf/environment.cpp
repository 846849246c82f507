#include "conf/environment.hpp"

#include "conf/conceal.hpp"

#include <algorithm>

namespace penstock::conf {

namespace {

constexpr std::size_t most_value_bytes = std::size_t{64} * 1024;

bool is_variable_name(std::string_view name)
{
    auto const is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
    return !name.empty() && is_letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// Raised inside this file only: why a value cannot be expanded.
struct refused {
    std::string why;
};

class expander {
public:
    expander(environment const& env, problem_list& problems) : env_(env), problems_(problems) {}

    void walk(node& here, std::string const& path) const
    {
        if (here.is_scalar()) scalar(here, path);
        for (std::size_t i = 0; i < here.items.size(); ++i) walk(here.items[i], path + '[' + std::to_string(i) + ']');
        for (auto& m : here.members) walk(m.value, path.empty() ? m.key : path + '.' + m.key);
    }

private:
    void scalar(node& here, std::string const& path) const
    {
        try {
            here.text = expanded(here.text, path);
        } catch (refused const& r) {
            here.is_unreadable = true;
            problems_.error(here.at, path, r.why);
        }
    }

    [[nodiscard]] std::string expanded(std::string_view rest, std::string const& path) const
    {
        std::string out;
        for (auto dollar = rest.find("${"); dollar != std::string_view::npos; dollar = rest.find("${")) {
            if (dollar > 0 && rest[dollar - 1] == '$') {
                out.append(rest.substr(0, dollar - 1)).append("${");
                rest.remove_prefix(dollar + 2);
                continue;
            }
            auto const end = rest.find('}', dollar);
            if (end == std::string_view::npos) {
                throw refused{"'${' without '}'; write ${NAME}, ${NAME:-default}, or $${ for a plain '${'"};
            }
            out.append(rest.substr(0, dollar)).append(value_of(rest.substr(dollar + 2, end - dollar - 2), path));
            rest.remove_prefix(end + 1);
            if (out.size() > most_value_bytes)
                throw refused{"is longer than 64 KiB once the environment is put in; shorten it"};
        }
        return out.append(rest);
    }

    [[nodiscard]] std::string value_of(std::string_view inside, std::string const& path) const
    {
        auto const mark = inside.find(":-");
        std::string const name{inside.substr(0, mark)};
        if (!is_variable_name(name)) {
            throw refused{"holds '${...}' that is not ${NAME} or ${NAME:-default}; a name has letters, digits and '_' only "
                          "(write $${ for a plain '${')"};
        }
        auto value = env_(name);
        if (mark != std::string_view::npos) return value && !value->empty() ? *value : std::string{inside.substr(mark + 2)};
        if (value) return *value;
        if (!shows_variable(path, name))
            throw refused{"the environment has no variable of the name that stands here; set it, or write ${NAME:-default}"};
        throw refused{"the environment has no " + name + "; set it, or write ${" + name + ":-default}"};
    }

    environment const& env_;
    problem_list& problems_;
};

} // namespace

void expand_environment(node& root, environment const& env, problem_list& problems) { expander{env, problems}.walk(root, {}); }

} // namespace penstock::conf
