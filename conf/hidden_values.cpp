#include "conf/hidden_values.hpp"

#include "partition/partition_key.hpp"

#include <algorithm>

namespace penstock::conf {
namespace {

using partition::entry_source;
using place = credential_source::place;

bool is_read_from(partition::entry const& what, credential_source const& source) noexcept
{
    switch (source.where) {
    case place::header: return what.source == entry_source::header && what.name == source.name;
    case place::authorization: return what.source == entry_source::header && what.name == "authorization";
    case place::query: return what.source == entry_source::query && what.name == source.name;
    case place::cookie: return what.source == entry_source::cookie && what.name == source.name;
    }
    return false;
}

} // namespace

void hide_credentials(partition::descriptor& key, std::span<credential_source const> from, bool in_paths)
{
    for (auto& one : key) {
        auto const hides = partition::is_hidden(one) || is_api_key(one, from) || (in_paths && one.source == entry_source::path);
        one.value = hides ? partition::hiding::hashed : partition::hiding::clear;
    }
}

bool is_api_key(partition::entry const& what, std::span<credential_source const> from) noexcept
{
    return what.source == entry_source::api_key ||
           std::ranges::any_of(from, [&](credential_source const& source) { return is_read_from(what, source); });
}

bool is_credential_field(partition::entry const& what) noexcept
{
    if (what.source == entry_source::cookie) return true;
    return what.source == entry_source::header &&
           (what.name == "authorization" || what.name == "proxy-authorization" || what.name == "cookie");
}

} // namespace penstock::conf
