// Whether 32 bytes are the public key of somebody: OpenSSL takes any for an Ed25519 key and looks at them only when it verifies.
// Pure.
#pragma once

#include <string_view>

namespace penstock::auth {

// Whether they are a point of edwards25519 in its one spelling (RFC 8032 5.1.3), and none of small order: under those eight a
// signature fits that nobody had to make.
bool is_sound_edwards_point(std::string_view bytes);

} // namespace penstock::auth
