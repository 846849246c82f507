#include "conf/conceal.hpp"

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

bool is_measure(value_form form) noexcept
{
    return form == value_form::integer || form == value_form::duration || form == value_form::boolean;
}

bool is_shown(known_key const* known, std::string_view text)
{
    if (is_variable(text)) return true;
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

} // namespace

bool is_confidential(std::string_view path) noexcept
{
    constexpr std::array<std::string_view, 3> sections{"admin", "auth", "redis"};
    auto const top = first_step(path);
    return std::ranges::find(sections, top) != sections.end() || find_known(top) == nullptr;
}

void conceal_values(node& root)
{
    for (auto& member : root.members) {
        if (is_confidential(member.key)) conceal(member.value, member.key);
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
    for (std::size_t from = 0; from < path.size();) {
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
