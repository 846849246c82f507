#include "conf/environment.hpp"

#include <algorithm>

namespace penstock::conf {

namespace {

constexpr std::size_t most_value_bytes = 64 * 1024;

bool is_name(std::string_view name)
{
    auto const is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
    return !name.empty() && is_letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

struct expander {
    environment const& env;
    problem_list& problems;

    void walk(node& here, std::string const& path) const
    {
        if (here.is_scalar()) here.text = expand(here, path);
        for (std::size_t i = 0; i < here.items.size(); ++i) walk(here.items[i], path + '[' + std::to_string(i) + ']');
        for (auto& m : here.members) walk(m.value, path.empty() ? m.key : path + '.' + m.key);
    }

    std::string expand(node const& here, std::string const& path) const
    {
        std::string out;
        std::string_view rest = here.text;
        for (auto dollar = rest.find("${"); dollar != std::string_view::npos; dollar = rest.find("${")) {
            if (dollar > 0 && rest[dollar - 1] == '$') {
                out.append(rest.substr(0, dollar - 1)).append("${");
                rest.remove_prefix(dollar + 2);
                continue;
            }
            auto const end = rest.find('}', dollar);
            if (end == std::string_view::npos) {
                problems.error(here.at, path, "'${' without '}'; write ${NAME}, ${NAME:-default}, or $${ for a plain '${'");
                return here.text;
            }
            out.append(rest.substr(0, dollar));
            out += value_of(rest.substr(dollar + 2, end - dollar - 2), here, path);
            rest.remove_prefix(end + 1);
        }
        out.append(rest);
        if (out.size() > most_value_bytes) {
            problems.error(here.at, path, "is longer than 64 KiB once the environment is put in");
            return here.text;
        }
        return out;
    }

    std::string value_of(std::string_view inside, node const& here, std::string const& path) const
    {
        auto const mark = inside.find(":-");
        std::string const name{inside.substr(0, mark)};
        if (!is_name(name)) {
            problems.error(here.at, path,
                           "'${" + std::string{inside} +
                               "}' is not ${NAME} or ${NAME:-default}; "
                               "a name has letters, digits and '_' only");
            return {};
        }
        auto value = env(name);
        if (mark != std::string_view::npos) {
            return value && !value->empty() ? *value : std::string{inside.substr(mark + 2)};
        }
        if (!value) {
            problems.error(here.at, path, "the environment has no " + name + "; set it, or write ${" + name + ":-default}");
            return {};
        }
        return *value;
    }
};

} // namespace

void expand_environment(node& root, environment const& env, problem_list& problems) { expander{env, problems}.walk(root, {}); }

} // namespace penstock::conf
