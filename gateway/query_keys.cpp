#include "gateway/query_keys.hpp"

#include "partition/request_values.hpp"

#include <algorithm>

namespace penstock::gateway {

bool is_key_parameter(std::string_view written, std::span<conf::credential_source const> sources) noexcept
{
    return std::ranges::any_of(sources, [&](conf::credential_source const& source) {
        return source.where == conf::credential_source::place::query && partition::is_parameter(written, source.name);
    });
}

void append_without_keys(std::string& out, std::string_view query, std::span<conf::credential_source const> sources)
{
    auto separator = '?';
    for (auto is_last = query.empty(); !is_last;) {
        auto const end = query.find('&');
        auto const parameter = query.substr(0, end);
        is_last = end == std::string_view::npos;
        if (!is_last) query.remove_prefix(end + 1);
        if (is_key_parameter(parameter.substr(0, parameter.find('=')), sources)) continue;
        out.push_back(separator);
        out.append(parameter);
        separator = '&';
    }
}

} // namespace penstock::gateway
