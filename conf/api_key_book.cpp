#include "conf/api_key_book.hpp"

namespace penstock::conf {

api_key_book::api_key_book(std::vector<known_api_key> keys) : keys_(std::move(keys))
{
    std::vector<partition::sha256_digest> digests;
    fields_.reserve(keys_.size());
    for (auto const& key : keys_) {
        auto& fields = fields_.emplace_back();
        for (auto const& [name, value] : key.attributes) fields.push_back({name, value});
        entries_.push_back({key.name, fields});
        digests.push_back(key.sha256);
    }
    table_ = partition::digest_table(digests);
}

api_key_book::entry const* api_key_book::find(partition::sha256_digest const& presented) const noexcept
{
    auto const place = table_.find(presented);
    return place ? &entries_[*place] : nullptr;
}

} // namespace penstock::conf
