// An IPv4 or IPv6 address and a network of them, as values: strict parsing, canonical text (RFC 5952), prefix masks.
// IPv4-mapped IPv6 addresses (::ffff:0:0/96) become IPv4 on parsing, whatever their spelling (IP-10).
// Pure: no sockets, no name resolution. Used by partition (keys, trust) and gateway (peers).
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::base {

class ip_address {
public:
    using bytes_v4 = std::array<std::uint8_t, 4>;
    using bytes_v6 = std::array<std::uint8_t, 16>;

    constexpr ip_address() noexcept = default; // 0.0.0.0
    static ip_address from_v4(bytes_v4 bytes) noexcept;
    static ip_address from_v6(bytes_v6 const& bytes) noexcept; // a mapped address becomes IPv4

    // Dotted quad or RFC 4291 text; nothing else: no port, brackets, zone, short or octal form (IP-9).
    static std::optional<ip_address> parse(std::string_view text) noexcept;
    // Cuts off `text` an address at its beginning, in one of the two forms behind which a port can be told from it
    // (RFC 3986 3.2.2): a dotted quad, or IPv6 in brackets. Nothing, and nothing cut off, if it begins with neither.
    static std::optional<ip_address> take_host(std::string_view& text) noexcept;

    [[nodiscard]] bool is_v4() const noexcept { return v4_; }
    [[nodiscard]] bool is_v6() const noexcept { return !v4_; }
    // Network byte order; an IPv4 address occupies the first four bytes, the rest is zero.
    [[nodiscard]] bytes_v6 const& bytes() const noexcept { return bytes_; }

    // The address with every bit behind the first `prefix` bits cleared (0..32 or 0..128).
    [[nodiscard]] ip_address masked(unsigned prefix) const noexcept;

    // Canonical text; `out` needs 46 bytes. Returns the part that was written.
    std::string_view write(char* out) const noexcept;
    [[nodiscard]] std::string to_string() const;

    friend auto operator<=>(ip_address const&, ip_address const&) noexcept = default;

private:
    bytes_v6 bytes_{};
    bool v4_ = true;
};

// One to five digits, at most 65535.
bool is_port(std::string_view text) noexcept;

// Address and prefix length, `10.0.0.0/8`; a bare address is a network of one.
class ip_network {
public:
    ip_network(ip_address address, unsigned prefix) noexcept; // clears the host bits

    static std::optional<ip_network> parse(std::string_view text) noexcept;
    [[nodiscard]] bool contains(ip_address const& address) const noexcept
    {
        auto const theirs = std::bit_cast<words>(address.bytes());
        auto const ours = std::bit_cast<words>(address_.bytes());
        auto const differing = ((theirs[0] ^ ours[0]) & mask_[0]) | ((theirs[1] ^ ours[1]) & mask_[1]);
        return differing == 0 && address.is_v4() == address_.is_v4();
    }
    [[nodiscard]] ip_address const& address() const noexcept { return address_; }
    [[nodiscard]] unsigned prefix() const noexcept { return prefix_; }
    [[nodiscard]] std::string to_string() const;

    friend auto operator<=>(ip_network const&, ip_network const&) noexcept = default;

private:
    using words = std::array<std::uint64_t, 2>; // of an address, as its bytes lie in memory

    ip_address address_;
    unsigned prefix_;
    words mask_; // the prefix's bits
};

} // namespace penstock::base
