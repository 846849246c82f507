#include "auth/edwards_point.hpp"

#include <openssl/bn.h>

#include <algorithm>
#include <memory>
#include <string>

namespace penstock::auth {
namespace {

struct freed {
    void operator()(BIGNUM* p) const noexcept { BN_free(p); }
    void operator()(BN_CTX* p) const noexcept { BN_CTX_free(p); }
};
using number = std::unique_ptr<BIGNUM, freed>;

number from_hex(char const* digits)
{
    BIGNUM* made = nullptr;
    BN_hex2bn(&made, digits);
    return number(made);
}

// Arithmetic modulo 2^255 - 19. A call that fails for want of memory makes what follows fail, too.
class field {
public:
    field()
        : context_(BN_CTX_new()),
          prime_(from_hex("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed")),
          is_good_(context_ && prime_)
    {}

    [[nodiscard]] bool is_good() const noexcept { return is_good_; }
    [[nodiscard]] bool holds(number const& a) const noexcept { return is_good_ && BN_cmp(a.get(), prime_.get()) < 0; }

    number product(number const& a, number const& b)
    {
        return made([&](BIGNUM* into) { return BN_mod_mul(into, a.get(), b.get(), prime_.get(), context_.get()); });
    }
    number sum(number const& a, number const& b)
    {
        return made([&](BIGNUM* into) { return BN_mod_add(into, a.get(), b.get(), prime_.get(), context_.get()); });
    }
    number difference(number const& a, number const& b)
    {
        return made([&](BIGNUM* into) { return BN_mod_sub(into, a.get(), b.get(), prime_.get(), context_.get()); });
    }
    bool is_square(number const& a)
    {
        auto const symbol = is_good_ ? BN_kronecker(a.get(), prime_.get(), context_.get()) : -2;
        return symbol == 0 || symbol == 1;
    }

private:
    template <class Step>
    number made(Step step)
    {
        number into(BN_new());
        is_good_ = is_good_ && into && step(into.get()) == 1;
        if (!into) into = from_hex("0");
        return into;
    }

    std::unique_ptr<BN_CTX, freed> context_;
    number prime_;
    bool is_good_;
};

} // namespace

// -x^2 + y^2 = 1 + d x^2 y^2, so x^2 = (y^2 - 1) / (d y^2 + 1), whose divisor is never zero. Doubled, a point has
// y' = (y^2 + x^2) / (2 + x^2 - y^2): of order 1 or 2 are those with x = 0, of order 4 those with y = 0, and of order 8 those
// whose double has y' = 0.
bool is_sound_edwards_point(std::string_view bytes)
{
    constexpr std::size_t size = 32;
    constexpr unsigned char sign_bit = 0x80;
    if (bytes.size() != size) return false;
    std::string big_endian(bytes.rbegin(), bytes.rend());
    big_endian[0] = static_cast<char>(static_cast<unsigned char>(big_endian[0]) & ~sign_bit);
    number const y(BN_bin2bn(reinterpret_cast<unsigned char const*>(big_endian.data()), size, nullptr));
    auto const d = from_hex("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3");
    auto const one = from_hex("1");
    field modulo;
    if (!y || !d || !one || !modulo.holds(y)) return false;
    auto const y2 = modulo.product(y, y);
    auto const above = modulo.difference(y2, one);
    auto const below = modulo.sum(modulo.product(d, y2), one);
    auto const doubled = modulo.sum(above, modulo.product(y2, below)); // (x^2 + y^2) times `below`
    auto const has_x = modulo.is_square(modulo.product(above, below));
    auto const is_small = BN_is_zero(above.get()) || BN_is_zero(y.get()) || BN_is_zero(doubled.get());
    return modulo.is_good() && has_x && !is_small;
}

} // namespace penstock::auth
