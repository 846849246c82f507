// From the bytes of a whole head to a request_head or response_head: Boost.Beast's parser for the grammar, and on top what
// a gateway must be stricter about than a server (H1-5, H1-6, H1-40..H1-46, H1-57), or less strict (H1-5, H1-12). Pure.
#pragma once

#include "proxy/head_problem.hpp"
#include "proxy/message_head.hpp"

#include <string_view>

namespace penstock::proxy {

// `bytes` is exactly one head, as head_scanner found it; `head` is filled with views of it.
head_problem parse_request_head(std::string_view bytes, request_head& head);

// A response to HEAD has no body whatever its fields say.
enum class answers : bool { other, head_request };
head_problem parse_response_head(std::string_view bytes, answers method, response_head& head);

} // namespace penstock::proxy
