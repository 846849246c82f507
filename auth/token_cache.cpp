#include "auth/token_cache.hpp"

#include <utility>

namespace penstock::auth {

verified_token_ptr token_cache::find(cache_key const& key, std::int64_t now_us, std::span<std::uint64_t const> key_set_versions)
{
    auto const found = index_.find(key);
    if (found == index_.end()) return nullptr;
    auto const at = found->second;
    auto const& token = *at->token;
    if (now_us >= token.expires_us || token.key_set_version != key_set_versions[token.issuer]) {
        index_.erase(found);
        entries_.erase(at);
        return nullptr;
    }
    if (at != entries_.begin()) entries_.splice(entries_.begin(), entries_, at);
    return at->token;
}

void token_cache::insert(cache_key const& key, verified_token_ptr token)
{
    if (most_ == 0) return;
    if (auto const found = index_.find(key); found != index_.end()) { // verified twice, by two requests at one time
        found->second->token = std::move(token);
        return;
    }
    if (entries_.size() == most_) {
        index_.erase(entries_.back().key);
        entries_.pop_back();
    }
    entries_.push_front({key, std::move(token)});
    index_.emplace(key, entries_.begin());
}

} // namespace penstock::auth
