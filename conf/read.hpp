// How values are taken out of a document: what is absent or wrong leaves the default alone (check_shape has reported it).
// Called by outline and read_settings. Pure.
#pragma once

#include "conf/document.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::conf {

// The value that `parse` reads from a scalar.
template <class T>
std::optional<T> parsed(node const* value, std::optional<T> (*parse)(std::string_view))
{
    return value != nullptr && value->is_scalar() ? parse(value->text) : std::nullopt;
}
template <class T>
std::optional<T> parsed(node const* value, std::optional<T> (*parse)(std::string_view) noexcept)
{
    return value != nullptr && value->is_scalar() ? parse(value->text) : std::nullopt;
}

template <class T, class Parse>
void set(T& into, node const* value, Parse parse)
{
    if (auto read = parsed(value, parse)) into = static_cast<T>(*read);
}

template <class T>
void choose(T& into, node const* value, std::initializer_list<std::pair<std::string_view, T>> words)
{
    if (value == nullptr || !value->is_scalar()) return;
    for (auto const& [word, meaning] : words) {
        if (value->text == word) into = meaning;
    }
}

inline std::string text_of(node const* value) { return value != nullptr && value->is_scalar() ? value->text : std::string{}; }

// The elements of a list; a single value is a list of one; nothing has none.
inline std::vector<node const*> elements(node const* value)
{
    std::vector<node const*> all;
    if (value == nullptr) return all;
    if (value->is_scalar()) all.push_back(value);
    for (auto const& item : value->items) all.push_back(&item);
    return all;
}

} // namespace penstock::conf
