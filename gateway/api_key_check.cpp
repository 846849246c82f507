#include "gateway/api_key_check.hpp"

#include "base/field_name.hpp"
#include "gateway/authorization.hpp"
#include "gateway/basic_credentials.hpp"
#include "partition/request_values.hpp"

#include <algorithm>

namespace penstock::gateway {
namespace {

using conf::credential_source;

constexpr std::size_t longest_key = 512;                 // AK-7
constexpr std::size_t longest_written = 4 * longest_key; // in Basic, or with every byte percent-encoded

bool is_visible(std::string_view text) noexcept
{
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

// Every key that the request presents, as it is written, and what is found last decoded.
class search {
public:
    search(base::request_facts const& facts, std::string& scratch) noexcept : facts_(facts), scratch_(scratch) {}

    void look_in(credential_source const& source)
    {
        switch (source.where) {
        case credential_source::place::header:
            for (auto const& field : facts_.fields) {
                if (base::is_field(field.name, source.name)) take(field.value);
            }
            break;
        case credential_source::place::authorization: look_in_authorization(source.name); break;
        case credential_source::place::query: look_in_query(source.name); break;
        case credential_source::place::cookie: look_in_cookies(source.name); break;
        }
    }

    [[nodiscard]] unsigned found() const noexcept { return found_; }
    [[nodiscard]] std::string_view key() const noexcept { return key_; }

private:
    void take(std::string_view key) noexcept
    {
        key_ = key;
        ++found_;
    }

    // The scheme's name has no case, and any white space ends it (RFC 9110 11.1, 11.4; AK-3). Behind anything else stands a key
    // that another reader may see: none that we know.
    void look_in_authorization(std::string_view scheme)
    {
        for (auto const& field : facts_.fields) {
            if (!base::is_field(field.name, "authorization")) continue;
            auto const written = read_authorization(field.value);
            if (!base::is_field(written.scheme, scheme)) continue;
            auto const credentials = written.is_sound ? base::trim_ows(written.rest) : std::string_view{};
            if (scheme != "basic")
                take(credentials);
            else
                take(credentials.size() > longest_written ? std::string_view{} : key_of_basic(credentials, scratch_));
        }
    }

    void look_in_query(std::string_view name)
    {
        auto rest = facts_.query;
        while (auto const value = partition::next_query_value(rest, name)) {
            if (value->size() > longest_written || !partition::needs_decoding(*value, partition::plus::is_space)) {
                take(*value);
                continue;
            }
            scratch_.clear();
            partition::decoder bytes{*value, partition::plus::is_space};
            while (auto const c = bytes.next()) scratch_.push_back(*c);
            take(scratch_);
        }
    }

    void look_in_cookies(std::string_view name) noexcept
    {
        for (auto const& field : facts_.fields) {
            if (!base::is_field(field.name, "cookie")) continue;
            auto rest = field.value;
            while (auto const value = partition::next_cookie_value(rest, name)) take(*value);
        }
    }

    base::request_facts const& facts_;
    std::string& scratch_;
    std::string_view key_;
    unsigned found_ = 0;
};

} // namespace

void api_key_check::describe_in(base::request_facts& facts) const noexcept
{
    facts.api_key = key;
    if (known != nullptr) facts.api_key_attributes = known->attributes;
}

api_key_check check_api_key(base::request_facts const& facts, conf::api_key_settings const& settings, std::string& scratch)
{
    api_key_check result;
    search presented(facts, scratch);
    for (auto const& source : settings.from) presented.look_in(source);
    auto const key = presented.key();
    if (presented.found() == 0) return result;
    if (presented.found() > 1) {
        result.why = credential_refusal::api_key_repeated;
    } else if (key.empty() || key.size() > longest_key || !is_visible(key)) {
        result.why = credential_refusal::api_key_malformed;
    } else if (result.presented = key; !settings.known) {
        result.key = key;
    } else if (result.known = settings.known->find(partition::digest_of(key)); result.known != nullptr) {
        result.key = key;
    } else if (settings.on_unknown == conf::unknown_key::reject) {
        result.why = credential_refusal::api_key_unknown;
    } else {
        result.is_ignored = true;
    }
    return result;
}

} // namespace penstock::gateway
