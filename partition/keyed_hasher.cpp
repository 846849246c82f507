// The block function of SHA-256 instead of EVP_MAC, which allocates a context and looks its algorithm up on each use, and instead
// of SHA256_Update and SHA256_Final, which cost half as much again as the two blocks of a short value
// (docs/adr/0005-partition-keys.md).
#define OPENSSL_SUPPRESS_DEPRECATED

#include "partition/keyed_hasher.hpp"

#include <endian.h>

#include <algorithm>
#include <cstring>

namespace penstock::partition {
namespace {

constexpr std::size_t length_at =
    SHA256_CBLOCK - sizeof(std::uint64_t); // FIPS 180-4 5.1.1: where a last block says how many bits

} // namespace

keyed_hasher::keyed_hasher(hash_secret const& secret) noexcept : secret_(secret) { begin(secret.inner()); }

void keyed_hasher::update(std::string_view bytes) noexcept
{
    while (bytes.size() >= block_.size() - filled_) {
        auto const room = block_.size() - filled_;
        std::memcpy(block_.data() + filled_, bytes.data(), room);
        bytes.remove_prefix(room);
        take_block();
    }
    if (bytes.empty()) return;
    std::memcpy(block_.data() + filled_, bytes.data(), bytes.size());
    filled_ += bytes.size();
}

keyed_hasher::digest keyed_hasher::finish() noexcept
{
    pad();
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> whole;
    write_digest(whole.data());
    begin(secret_.outer());
    std::copy(whole.begin(), whole.end(), block_.begin());
    filled_ = whole.size();
    pad();
    write_digest(whole.data());
    digest truncated;
    std::copy_n(whole.begin(), truncated.size(), truncated.begin());
    return truncated;
}

void keyed_hasher::begin(hash_secret::sha256_state const& state) noexcept
{
    std::copy(state.begin(), state.end(), state_.h);
    filled_ = 0;
    taken_ = block_.size();
}

void keyed_hasher::take_block() noexcept
{
    SHA256_Transform(&state_, block_.data());
    filled_ = 0;
    taken_ += block_.size();
}

// FIPS 180-4 5.1.1: a one bit, zeros, and the number of bits in the last eight bytes of a block.
void keyed_hasher::pad() noexcept
{
    auto const bits = htobe64(8 * (taken_ + filled_));
    block_[filled_++] = 0x80;
    if (filled_ > length_at) {
        std::memset(block_.data() + filled_, 0, block_.size() - filled_);
        take_block();
    }
    std::memset(block_.data() + filled_, 0, length_at - filled_);
    std::memcpy(block_.data() + length_at, &bits, sizeof bits);
    take_block();
}

// FIPS 180-4 3.1: the most significant byte of a word comes first.
void keyed_hasher::write_digest(std::uint8_t* to) const noexcept
{
    for (auto const word : state_.h) {
        auto const big_endian = htobe32(word);
        std::memcpy(to, &big_endian, sizeof big_endian);
        to += sizeof big_endian;
    }
}

} // namespace penstock::partition
