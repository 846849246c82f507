#include "partition/text_hasher.hpp"

namespace penstock::partition {

digest_cache::digest text_hasher::finish() noexcept
{
    if (hasher_) return hasher_->finish();
    std::string_view const text{text_.data(), size_};
    auto const hash = [&] {
        keyed_hasher hasher(secret_);
        hasher.update(text);
        return hasher.finish();
    };
    if (lately_ == nullptr) return hash();
    auto const place = lately_->find_or_add(text);
    if (!place.is_known) place.value = hash();
    return place.value;
}

void text_hasher::update_longer(std::string_view bytes) noexcept
{
    if (!hasher_) {
        hasher_.emplace(secret_);
        hasher_->update({text_.data(), size_});
    }
    hasher_->update(bytes);
}

} // namespace penstock::partition
