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
constexpr unsigned most_looked_up = 32; // among those that are denied; who presents more of them counts as denied

bool is_visible(std::string_view text) noexcept
{
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_well_formed(std::string_view key) noexcept { return !key.empty() && key.size() <= longest_key && is_visible(key); }

// `value` percent-decoded, in `room` where it must be; as it is where it is too long to be a key.
std::string_view decoded(std::string_view value, std::string& room)
{
    if (value.size() > longest_written || !partition::needs_decoding(value, partition::plus::is_space)) return value;
    room.clear();
    partition::decoder bytes{value, partition::plus::is_space};
    while (auto const c = bytes.next()) room.push_back(*c);
    return room;
}

// Every key that the request presents, as it is written, and what is found last decoded.
class search {
public:
    search(base::request_facts const& facts, std::string& scratch, deny_lists lists) noexcept
        : facts_(facts),
          scratch_(scratch),
          lists_(lists),
          denies_keys_(std::ranges::any_of(lists, [](conf::deny_list const* list) { return !list->api_keys.empty(); }))
    {}

    void look_in(credential_source const& source)
    {
        switch (source.where) {
        case credential_source::place::header:
            for (auto const& field : facts_.fields) {
                if (base::is_field(field.name, source.name)) take(field.value);
            }
            break;
        case credential_source::place::authorization: look_in_authorization(source.name); break;
        case credential_source::place::query: look_in_query(source); break;
        case credential_source::place::cookie: look_in_cookies(source); break;
        }
    }

    [[nodiscard]] unsigned found() const noexcept { return found_; }
    [[nodiscard]] std::string_view key() const noexcept { return key_; }
    [[nodiscard]] conf::deny_list const* denied_by() const noexcept { return denied_by_; }
    [[nodiscard]] bool is_undecided() const noexcept { return is_undecided_; }

private:
    void take(std::string_view key) noexcept
    {
        key_ = key;
        ++found_;
        look_up(key);
    }

    void take_unreadable() noexcept
    {
        take({});
        if (denies_keys_) is_undecided_ = true;
    }

    // Any of several keys may be the one that the upstream goes by. What is not well-formed could be any key to a reader that trims
    // or decodes once more; nothing is none.
    void look_up(std::string_view key) noexcept
    {
        if (!denies_keys_ || key.empty()) return;
        if (is_well_formed(key))
            look_at(key);
        else
            is_undecided_ = true;
    }

    // So may any between the commas of one, its semicolons or its quotes, of a reader that takes it for a list, with or without
    // parameters (RFC 9110 5.3, 5.6). Between blanks is no key of ours, but some of what is looked at here need not be one.
    void look_at(std::string_view text) noexcept
    {
        if (is_well_formed(text)) look_for(text);
        auto const parts = [](char c) { return c == ',' || c == ';' || c == '"' || !is_visible({&c, 1}); };
        if (std::ranges::none_of(text, parts)) return;
        while (!text.empty()) {
            auto const end = static_cast<std::size_t>(std::ranges::find_if(text, parts) - text.begin());
            if (end > 0) look_for(text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }

    // The lists that are left are those before the one that denies: the earliest has the say.
    void look_for(std::string_view key) noexcept
    {
        auto const is_looked_at = ++looked_up_ <= most_looked_up;
        auto const digest = is_looked_at ? partition::digest_of(key) : partition::sha256_digest{};
        auto const by = std::ranges::find_if(lists_, [&](conf::deny_list const* list) {
            return !list->api_keys.empty() && (!is_looked_at || list->api_keys.contains(digest));
        });
        if (by == lists_.end()) return;
        denied_by_ = *by;
        lists_ = lists_.first(static_cast<std::size_t>(by - lists_.begin()));
    }

    // The scheme's name has no case, and any white space ends it (RFC 9110 11.1, 11.4; AK-3). Behind anything else stands a key
    // that another reader may see: none that we know.
    void look_in_authorization(std::string_view scheme)
    {
        for (auto const& field : facts_.fields) {
            if (!base::is_field(field.name, "authorization")) continue;
            auto const written = read_authorization(field.value);
            if (!base::is_field(written.scheme, scheme)) continue;
            auto const credentials = base::trim_ows(written.rest);
            if (!written.is_sound)
                take_unreadable();
            else if (scheme == "basic" && !credentials.empty())
                take_basic(credentials);
            else
                take(credentials);
        }
    }

    // Some take the user name for the key and let any password pass: it is looked up, too, though it is no key here.
    void take_basic(std::string_view credentials)
    {
        auto const pair = credentials.size() > longest_written ? basic_credentials{} : read_basic(credentials, scratch_);
        if (!pair.is_readable) return take_unreadable();
        take(pair.key());
        if (denies_keys_ && !pair.password.empty()) look_at(pair.user_name);
    }

    // Of a reader that begins a parameter or a cookie behind `separator`, too, and ends it before any of `ends`.
    void look_behind(char separator, std::string_view ends, std::string_view text, credential_source const& source)
    {
        if (!denies_keys_) return;
        for (auto at = text.find(separator); at != std::string_view::npos; at = text.find(separator)) {
            text.remove_prefix(at + 1);
            auto one = text.substr(0, text.find_first_of(ends));
            auto const in_query = source.where == credential_source::place::query;
            auto const value =
                in_query ? partition::next_query_value(one, source.name) : partition::next_cookie_value(one, source.name);
            if (!value) continue;
            std::string text_of_value;
            look_at(in_query ? decoded(*value, text_of_value) : *value);
        }
    }

    void look_in_query(credential_source const& source)
    {
        look_behind(';', "&;", facts_.query, source);
        auto rest = facts_.query;
        while (auto const value = partition::next_query_value(rest, source.name)) take(decoded(*value, scratch_));
    }

    void look_in_cookies(credential_source const& source)
    {
        for (auto const& field : facts_.fields) {
            if (!base::is_field(field.name, "cookie")) continue;
            look_behind(',', ",;", field.value, source);
            auto rest = field.value;
            while (auto const value = partition::next_cookie_value(rest, source.name)) take(*value);
        }
    }

    base::request_facts const& facts_;
    std::string& scratch_;
    deny_lists lists_;
    bool denies_keys_;
    conf::deny_list const* denied_by_ = nullptr;
    std::string_view key_;
    unsigned found_ = 0;
    unsigned looked_up_ = 0;
    bool is_undecided_ = false;
};

} // namespace

void api_key_check::describe_in(base::request_facts& facts) const noexcept
{
    facts.api_key = key;
    if (known != nullptr) facts.api_key_attributes = known->attributes;
}

api_key_check check_api_key(base::request_facts const& facts, conf::api_key_settings const& settings, std::string& scratch,
                            deny_lists denials)
{
    api_key_check result;
    search presented(facts, scratch, denials);
    for (auto const& source : settings.from) presented.look_in(source);
    result.denied_by = presented.denied_by();
    result.is_undecided = presented.is_undecided();
    auto const key = presented.key();
    if (result.denied_by != nullptr) { // also where none is found that could be gone by
        result.why = credential_refusal::api_key_denied;
    } else if (presented.found() == 0) {
        return result;
    } else if (presented.found() > 1) {
        result.why = credential_refusal::api_key_repeated;
    } else if (!is_well_formed(key)) {
        result.why = credential_refusal::api_key_malformed;
    } else if (!settings.known) {
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
