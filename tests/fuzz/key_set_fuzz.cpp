// AK-34: whatever an issuer's server answers, reading it ends with a set that has keys, or with a reason.
#include "auth/key_set.hpp"
#include "fuzz_targets.hpp"

#include <algorithm>

namespace penstock::fuzz {

void key_set(std::string_view text)
{
    auto const read = auth::parse_key_set(text, auth::all_algorithms);
    require((read.keys == nullptr) != read.problem.empty(), "there is a set or a problem");
    require(read.notes.size() <= auth::most_keys, "no more is said than there are keys");
    require(std::ranges::none_of(read.notes, [](auto const& each) { return each.why.empty(); }), "every note says why");
    if (!read.keys) return;
    require(read.keys->size() > 0 && read.keys->size() <= auth::most_keys, "a set has 1 to 100 keys");
    require(auth::same_keys(*read.keys, *auth::parse_key_set(text, auth::all_algorithms).keys), "one text is one set");
    for (auto const& each : read.keys->keys()) {
        require(each.use != auth::algorithm::hs256 && each.public_key != nullptr, "no key is a secret");
        require(!auth::verify_signature(each, "text", "no signature"), "no key believes everything");
    }
}

} // namespace penstock::fuzz
