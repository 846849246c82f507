#include "conf/conceal.hpp"

#include "base/ip_address.hpp"
#include "conf/known_keys.hpp"
#include "conf/scalar.hpp"
#include "conf/suggest.hpp"
#include "conf/words.hpp"

#include <algorithm>
#include <array>

namespace penstock::conf {
namespace {

constexpr std::string_view hidden = "***";

// TOKEN_OF_ADMIN. What is made up at random has no '_', or small letters.
bool is_usual_name(std::string_view name) noexcept
{
    auto const is_usual = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
    return name.find('_') != std::string_view::npos && std::ranges::all_of(name, is_usual);
}

// ${NAME} and nothing else.
bool is_variable(std::string_view text) noexcept
{
    return text.starts_with("${") && text.ends_with('}') && is_usual_name(text.substr(2, text.size() - 3));
}

// 10.0.0.1 or 10.0.0.1/8; one of IPv6 without letters.
bool is_address(std::string_view text) noexcept
{
    return text.find_first_not_of("0123456789.:/") == std::string_view::npos &&
           base::ip_address::parse(text.substr(0, text.find('/')));
}

bool is_measure(value_form form) noexcept
{
    return form == value_form::integer || form == value_form::duration || form == value_form::boolean;
}

bool is_shown(known_key const* known, std::string_view text)
{
    if (is_variable(text) || is_address(text)) return true;
    if (known == nullptr) return false;
    if (!nearest(text, split_words(known->words)).empty()) return true;
    return is_measure(known->form) && (parse_integer(text) || parse_duration(text) || parse_boolean(text));
}

// As deep as parse_document lets it be. `path` as in the table of known keys; its elements stand for a list of one, too.
void conceal(node& here, std::string const& path)
{
    auto const* known = find_known(path);
    if (known != nullptr && known->form == value_form::list_or_one) known = find_known(path + "[]");
    if (!is_shown(known, here.written)) here.written = hidden;
    for (auto& item : here.items) conceal(item, path + "[]");
    for (auto& member : here.members) conceal(member.value, path + '.' + member.key);
}

std::string_view first_step(std::string_view path) noexcept { return path.substr(0, path.find_first_of(".[")); }

// The sections about callers that are known, within others: how many steps lead there, and the last of them.
struct inner_section {
    std::string_view top;
    std::size_t depth;
    std::string_view name;
    std::string_view known_path;
};
constexpr std::array<inner_section, 2> inner_sections{inner_section{"limits", 2, "exempt", "limits.*.exempt"},
                                                      inner_section{"routes", 1, "deny", "routes[].deny"}};

// Behind so many steps; nothing if there are fewer.
std::string_view behind(std::string_view path, std::size_t steps) noexcept
{
    for (; steps > 0; --steps) {
        auto const dot = path.find('.');
        if (dot == std::string_view::npos) return {};
        path.remove_prefix(dot + 1);
    }
    return path;
}

inner_section const* inner_section_of(std::string_view path) noexcept
{
    auto const is_it = [path](inner_section const& each) {
        return first_step(path) == each.top && first_step(behind(path, each.depth)) == each.name;
    };
    auto const* found = std::ranges::find_if(inner_sections, is_it);
    return found == inner_sections.end() ? nullptr : found;
}

void conceal_within(node& parent, inner_section const& which)
{
    for (auto& member : parent.members)
        if (member.key == which.name) conceal(member.value, std::string{which.known_path});
}

} // namespace

bool is_confidential(std::string_view path) noexcept
{
    constexpr std::array<std::string_view, 4> sections{"admin", "auth", "deny", "redis"};
    auto const top = first_step(path);
    return std::ranges::find(sections, top) != sections.end() || find_known(top) == nullptr ||
           inner_section_of(path) != nullptr;
}

void conceal_values(node& root)
{
    for (auto& member : root.members) {
        if (is_confidential(member.key)) conceal(member.value, member.key);
        for (auto const& which : inner_sections) {
            if (member.key != which.top) continue;
            for (auto& each : member.value.members) conceal_within(each.value, which);
            for (auto& each : member.value.items) conceal_within(each, which);
        }
    }
}

std::string shown_path(std::string_view path)
{
    constexpr std::string_view callers = ".overrides.";
    if (!is_confidential(path)) {
        auto const at = path.starts_with("limits.") ? path.find(callers) : std::string_view::npos;
        if (at == std::string_view::npos) return std::string{path};
        return std::string{path.substr(0, at + callers.size())} + std::string{hidden};
    }
    std::string parent; // in the table
    std::size_t from = 0;
    if (auto const* inner = inner_section_of(path)) {
        parent = inner->known_path;
        auto const rest = behind(path, inner->depth + 1);
        if (rest.empty()) return std::string{path};
        from = path.size() - rest.size();
    }
    while (from < path.size()) {
        auto const step = path.substr(from, path.find('.', from) - from);
        auto const name = step.substr(0, step.find('['));
        bool const has_index = name.size() < step.size();
        bool const is_known = parent.empty() || !nearest(name, keys_below(parent)).empty();
        if (!is_known || step.find_first_not_of("[]0123456789", name.size()) != std::string_view::npos)
            return std::string{path.substr(0, from)} + std::string{hidden};
        parent += (parent.empty() ? "" : ".") + std::string{name} + (has_index ? "[]" : "");
        from += step.size() + 1;
    }
    return std::string{path};
}

bool shows_variable(std::string_view path, std::string_view name) noexcept
{
    return !is_confidential(path) || is_usual_name(name);
}

} // namespace penstock::conf
