// The parts that every answer of the gateway's own is made of: status line, fields, content. Called by the files that decide what to
// answer (respond, credential_answer). Pure: appends to a string.
#pragma once

#include "gateway/answer_body.hpp"
#include "gateway/response_context.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::gateway::respond {

void append_number(std::string& out, std::uint64_t number);
// The reason phrase of a status; one that an operator made up has a general one.
std::string_view phrase(unsigned status);
void append_status_line(std::string& out, unsigned status);
// Everything of a response of our own behind its special fields.
void finish(std::string& out, response_context const& context, answer_body const& body);
// The whole of one that has no special fields: an about:blank problem. Returns the status.
unsigned simple(std::string& out, response_context const& context, unsigned status, std::string_view detail);

} // namespace penstock::gateway::respond
