#define OPENSSL_SUPPRESS_DEPRECATED // the block function, see the header

#include "partition/sha256.hpp"

#include <endian.h>

#include <algorithm>
#include <cstring>

namespace penstock::partition {
namespace {

// FIPS 180-4 5.1.1: where a last block says how many bits there are.
constexpr std::size_t length_at = sha256::block_size - sizeof(std::uint64_t);

} // namespace

sha256::sha256() noexcept : taken_(0) { SHA256_Init(&state_); }

sha256::sha256(state const& behind, std::uint64_t taken) noexcept : taken_(taken)
{
    std::copy(behind.begin(), behind.end(), state_.h);
}

void sha256::update(std::string_view bytes) noexcept
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

sha256::state sha256::behind_blocks() const noexcept
{
    state words;
    std::copy_n(state_.h, words.size(), words.begin());
    return words;
}

sha256_digest sha256::finish() noexcept
{
    pad();
    sha256_digest digest;
    auto* to = digest.data();
    for (auto const word : state_.h) { // FIPS 180-4 3.1: the most significant byte of a word comes first
        auto const big_endian = htobe32(word);
        std::memcpy(to, &big_endian, sizeof big_endian);
        to += sizeof big_endian;
    }
    return digest;
}

void sha256::take_block() noexcept
{
    SHA256_Transform(&state_, block_.data());
    filled_ = 0;
    taken_ += block_.size();
}

// FIPS 180-4 5.1.1: a one bit, zeros, and the number of bits in the last eight bytes of a block.
void sha256::pad() noexcept
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

sha256_digest digest_of(std::string_view text) noexcept
{
    sha256 hash;
    hash.update(text);
    return hash.finish();
}

} // namespace penstock::partition
