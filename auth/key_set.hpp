// The keys of one issuer, and their reading from a JWK set (RFC 7517): what is unknown or meant for something else is left out,
// what is weak is refused, and both are said (AK-23, AK-24, AK-34). A set is never changed, only replaced. Pure.
#pragma once

#include "auth/verification_key.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::auth {

inline constexpr std::size_t most_key_set_bytes = std::size_t{256} * 1024;
inline constexpr std::size_t most_keys = 100;
inline constexpr std::size_t longest_key_id = 256;

class key_set {
public:
    explicit key_set(std::vector<verification_key> keys) : keys_(std::move(keys)) {}

    // The key that `id` names, for this algorithm. Without an id: the only one for the algorithm, if it is the only one.
    [[nodiscard]] verification_key const* find(std::string const* id, algorithm use) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }
    [[nodiscard]] std::vector<verification_key> const& keys() const noexcept { return keys_; }

private:
    std::vector<verification_key> keys_;
};

// Whether they verify the same tokens.
bool same_keys(key_set const& a, key_set const& b) noexcept;

using key_set_ptr = std::shared_ptr<key_set const>;

struct key_note {
    enum class kind : std::uint8_t { left_out, refused }; // refused: meant for us, and unsound
    kind what = kind::left_out;
    std::size_t index = 0;
    std::string why; // for people; holds no part of the key
};

struct read_key_set {
    key_set_ptr keys; // null: unusable as a whole, see `problem`
    std::string problem;
    std::vector<key_note> notes;
};

// `accepted`: the issuer's algorithms in order. A key that does not name its algorithm is bound to the first one that it fits.
read_key_set parse_key_set(std::string_view json, std::span<algorithm const> accepted);

// The set of a secret that is shared with the issuer, of at least 32 bytes.
key_set_ptr key_set_of_secret(std::string secret);

} // namespace penstock::auth
