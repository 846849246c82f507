// When the keys of an issuer are fetched, and how long they are believed: a machine without I/O. A token that names an unknown
// key brings the next fetch forward, but never to less than the cooldown behind the last one, however many there are (AK-35).
// A failed fetch keeps what is known. Driven by gateway/key_keeper, on its thread. Pure.
#pragma once

#include "auth/token_settings.hpp"
#include "base/clock.hpp"

#include <optional>
#include <string_view>

namespace penstock::auth {

class key_refresh {
public:
    enum class action : std::uint8_t {
        rest,
        fetch,  // begin one, and say how it ended
        forget, // the keys have not been confirmed for too long: believe them no more, then ask again
    };

    // The first fetch is due at `now`. `spread` from 0 to 1 keeps the gateways of a fleet apart.
    key_refresh(key_source const& source, base::instant now, double spread) noexcept;

    // Keys that were known before, from the same place, and were last confirmed at `confirmed`.
    void note_inherited(base::instant confirmed) noexcept;
    action resume(base::instant now) noexcept;
    void note_unknown_key(base::instant now) noexcept;
    // `max_age` as the answer's Cache-Control says, if it does.
    void note_fetched(std::optional<base::micros> max_age, base::instant now) noexcept;
    void note_failed(base::instant now) noexcept;

    // When resume() has something to say, unless something else happens before.
    [[nodiscard]] base::instant next() const noexcept;

private:
    [[nodiscard]] base::micros spread_over(base::micros wait) const noexcept;

    base::micros refresh_;
    base::micros cooldown_;
    base::micros stale_;
    double spread_;
    bool is_fetching_ = false;
    unsigned failures_ = 0; // in a row
    base::instant due_;     // of the next fetch
    base::instant allowed_; // not sooner, whatever happens
    base::instant stale_at_ = base::instant::max();
};

// How long an answer may be believed, as its Cache-Control says; nothing if that says nothing of it.
std::optional<base::micros> freshness_of(std::string_view cache_control) noexcept;

} // namespace penstock::auth
