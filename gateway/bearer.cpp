#include "gateway/bearer.hpp"

#include "base/field_name.hpp"
#include "gateway/authorization.hpp"

#include <algorithm>

namespace penstock::gateway {
namespace {

constexpr std::string_view scheme = "bearer";

int digit_of(char c) noexcept
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Whether a parameter is called `name`, in whatever spelling: `access%5Ftoken` is access_token.
bool is_called(std::string_view parameter, std::string_view name) noexcept
{
    parameter = parameter.substr(0, parameter.find('='));
    while (!parameter.empty() && !name.empty()) {
        auto c = parameter.front();
        std::size_t length = 1;
        if (c == '%' && parameter.size() >= 3 && digit_of(parameter[1]) >= 0 && digit_of(parameter[2]) >= 0) {
            c = static_cast<char>(digit_of(parameter[1]) * 16 + digit_of(parameter[2]));
            length = 3;
        }
        if (c != name.front()) return false;
        parameter.remove_prefix(length);
        name.remove_prefix(1);
    }
    return parameter.empty() && name.empty();
}

bool has_parameter(std::string_view query, std::string_view name) noexcept
{
    while (!query.empty()) {
        auto const end = query.find('&');
        if (is_called(query.substr(0, end), name)) return true;
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    }
    return false;
}

} // namespace

bool is_token68(std::string_view text) noexcept
{
    static constexpr std::string_view marks = "-._~+/";
    text = text.substr(0, text.find_last_not_of('=') + 1);
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               marks.find(c) != std::string_view::npos;
    });
}

bearer find_bearer(base::request_facts const& facts) noexcept
{
    bearer found;
    unsigned lines = 0; // of Authorization: there may be one
    for (auto const& field : facts.fields) {
        if (!base::is_field(field.name, "authorization")) continue;
        ++lines;
        auto const written = read_authorization(field.value);
        if (!base::is_field(written.scheme, scheme)) continue;
        auto credentials = written.rest;
        credentials.remove_prefix(std::min(credentials.find_first_not_of(' '), credentials.size()));
        auto const is_second = found.how != bearer::presence::absent;
        auto const is_apart = written.is_sound && written.rest.starts_with(' ');
        found.how = is_second || !is_apart || credentials.empty() ? bearer::presence::malformed : bearer::presence::presented;
        found.token = credentials;
    }
    if (found.how == bearer::presence::presented && (lines > 1 || has_parameter(facts.query, "access_token")))
        found.how = bearer::presence::malformed;
    return found;
}

} // namespace penstock::gateway
