#include "conf/credential_source.hpp"

#include "conf/key_language.hpp"

namespace penstock::conf {

std::optional<credential_source> parse_credential_source(std::string_view text)
{
    constexpr std::string_view by_header = "header ";
    if (lower_case(text) == "authorization apikey") return credential_source{};
    if (!text.starts_with(by_header) || !is_field_name(text.substr(by_header.size()))) return std::nullopt;
    return credential_source{lower_case(text.substr(by_header.size()))};
}

} // namespace penstock::conf
