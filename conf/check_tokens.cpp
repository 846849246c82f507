#include "auth/web_address.hpp"
#include "conf/check.hpp"
#include "conf/check_value.hpp"
#include "conf/known_keys.hpp"
#include "conf/read.hpp"
#include "conf/scalar.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

namespace penstock::conf {

namespace {

class issuer_check {
public:
    issuer_check(node const& written, std::string path, problem_list& problems)
        : written_(written), path_(std::move(path)), problems_(problems)
    {}

    void run()
    {
        source();
        refresh();
        algorithms();
        transport();
        if (written_.find("audience") == nullptr)
            problems_.warning(written_.at, path_,
                              "without audience, a token that this issuer made for another service is accepted here, too "
                              "(AK-32); name the audience of this one");
    }

private:
    void wrong(node const& value, std::string const& key, std::string what)
    {
        problems_.error(value.at, path_ + '.' + key, std::move(what));
    }

    // Where the keys come from: one place.
    void source()
    {
        constexpr std::array keys{"jwks_file", "jwks_url", "secret_file"};
        char const* first = nullptr;
        for (auto const* key : keys) {
            auto const* value = written_.find(key);
            if (value == nullptr) continue;
            if (first != nullptr) wrong(*value, key, "stands beside " + std::string(first) + "; keep one of them");
            if (first == nullptr) first = key;
        }
        if (first == nullptr)
            problems_.error(written_.at, path_, "has no keys to verify with; add jwks_file, jwks_url or secret_file");
        for (auto const* key : {"jwks_ca_file", "jwks_refresh", "jwks_cooldown", "jwks_timeout", "jwks_stale"}) {
            auto const* value = written_.find(key);
            if (value != nullptr && written_.find("jwks_url") == nullptr)
                problems_.warning(value->at, path_ + '.' + key, "has no effect without jwks_url");
        }
    }

    // Keys of an issuer that is well must not lapse between two fetches.
    void refresh()
    {
        if (written_.find("jwks_url") == nullptr) return;
        auth::key_source const usual;
        auto const refresh = duration("jwks_refresh", usual.refresh);
        auto const timeout = duration("jwks_timeout", usual.timeout);
        if (!refresh || !timeout) return;
        if (duration("jwks_cooldown", *refresh) > *refresh)
            wrong(*written_.find("jwks_cooldown"), "jwks_cooldown",
                  "is longer than jwks_refresh, " + write_duration(*refresh) +
                      ", so that keys would be fetched less often than that; make it shorter, or jwks_refresh longer");
        auto const least = *refresh + *timeout;
        if (auto const stale = duration("jwks_stale", least); stale && *stale < least)
            wrong(
                *written_.find("jwks_stale"), "jwks_stale",
                "lets good keys lapse before they are fetched again; make it at least jwks_refresh and jwks_timeout together, " +
                    write_duration(least));
    }

    // Nothing of one that is refused for itself.
    std::optional<base::micros> duration(std::string const& key, base::micros unless_written)
    {
        auto const* value = written_.find(key);
        if (value == nullptr) return unless_written;
        auto const is_refused = !problem_with_value(*find_known("auth.jwt.issuers[]." + key), *value).empty();
        return is_refused ? std::nullopt : parsed(value, parse_duration);
    }

    // A public key is never taken for a secret: an issuer has the one or the other (AK-23).
    void algorithms()
    {
        auto const* list = written_.find("algorithms");
        bool const has_secret = written_.find("secret_file") != nullptr;
        std::set<std::string> seen;
        auto const all = elements(list);
        for (std::size_t i = 0; i < all.size(); ++i) {
            auto const which = parsed(all[i], auth::parse_algorithm);
            if (!which) continue;
            auto const key = list->is_list() ? "algorithms[" + std::to_string(i) + ']' : std::string("algorithms");
            if (!seen.insert(all[i]->text).second)
                wrong(*all[i], key, "'" + all[i]->written + "' stands here twice; remove one");
            if (*which == auth::algorithm::hs256 && !has_secret)
                wrong(*all[i], key, "HS256 needs a secret that the issuer has, too; give it in secret_file, or remove HS256");
            if (*which != auth::algorithm::hs256 && has_secret)
                wrong(*all[i], key,
                      all[i]->written + " needs public keys, and this issuer has secret_file; write HS256, or give jwks_file");
        }
    }

    void transport()
    {
        auto const* url = written_.find("jwks_url");
        auto const address = url != nullptr && url->is_scalar() ? auth::parse_web_address(url->text) : std::nullopt;
        if (!address || address->how == auth::web_address::scheme::https || address->is_loopback()) return;
        wrong(*url, "jwks_url",
              "is not https, so whoever sits between can put keys of their own in its place (AK-34); write https://");
    }

    node const& written_;
    std::string path_;
    problem_list& problems_;
};

} // namespace

void check_tokens(checked const& all, problem_list& problems)
{
    auto const* issuers = all.root.find("auth.jwt.issuers");
    if (issuers == nullptr || !issuers->is_list()) return;
    std::map<std::string, std::string> names;
    for (std::size_t i = 0; i < issuers->items.size(); ++i) {
        auto const& written = issuers->items[i];
        if (!written.is_map()) continue;
        auto const path = "auth.jwt.issuers[" + std::to_string(i) + ']';
        issuer_check{written, path, problems}.run();
        auto const* name = written.find("issuer");
        if (name == nullptr || !name->is_scalar()) continue;
        auto const [first, is_new] = names.emplace(name->text, path);
        if (!is_new)
            problems.error(name->at, path + ".issuer",
                           "'" + name->written + "' is the issuer of " + first->second + ", too; put both into one");
    }
}

} // namespace penstock::conf
