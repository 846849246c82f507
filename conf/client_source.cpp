#include "conf/client_source.hpp"

#include "base/credential_names.hpp"
#include "conf/key_language.hpp"
#include "proxy/fields.hpp"

namespace penstock::conf {

namespace {

bool may_name_client(std::string_view field)
{
    switch (proxy::classify_field(field)) {
    case proxy::field_kind::end_to_end:
    case proxy::field_kind::address_claim:
    case proxy::field_kind::peer_claim: return is_field_name(field) && !base::may_be_credential_name(field);
    default: return false;
    }
}

} // namespace

std::optional<client_source> parse_client_source(std::string_view text)
{
    using enum partition::address_source;
    constexpr std::string_view by_header = "header ";
    if (text == "peer") return client_source{peer, {}};
    if (text == "x-forwarded-for") return client_source{x_forwarded_for, {}};
    if (text == "forwarded") return client_source{forwarded, {}};
    if (text == "x-real-ip") return client_source{single_field, std::string{text}};
    if (!text.starts_with(by_header)) return std::nullopt;
    auto field = lower_case(text.substr(by_header.size()));
    if (!may_name_client(field)) return std::nullopt;
    return client_source{single_field, std::move(field)};
}

} // namespace penstock::conf
