// The heads of an upstream's answers as the client gets them. Pure: replaces the content of a string.
#pragma once

#include "gateway/limit_fields.hpp"
#include "gateway/response_context.hpp"
#include "proxy/message_head.hpp"

#include <string>

namespace penstock::gateway::respond {

// The head of a final answer, with the limits' fields; `framing` is how its body will be sent.
void relayed(std::string& out, response_context const& context, proxy::response_head const& answer, limit_report const& report,
             proxy::body_framing framing);
// An interim answer (1xx), or 101 with the protocol that both ends switch to.
void interim(std::string& out, proxy::response_head const& answer);

} // namespace penstock::gateway::respond
