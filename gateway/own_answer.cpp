#include "gateway/own_answer.hpp"

#include <boost/beast/http/status.hpp>

#include <array>
#include <charconv>

namespace penstock::gateway::respond {
namespace {

// A browser shows a script neither status nor fields of an answer that does not name its origin (RL-35).
void append_cors(std::string& out, std::string_view origin)
{
    if (origin.empty()) return;
    out.append("Access-Control-Allow-Origin: ").append(origin).append("\r\nAccess-Control-Allow-Credentials: true\r\n");
    out.append("Access-Control-Expose-Headers: ").append(exposed_fields).append("\r\nVary: Origin\r\n");
}

} // namespace

void append_number(std::string& out, std::uint64_t number)
{
    std::array<char, 20> digits;
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

std::string_view phrase(unsigned status)
{
    if (status == 508) return "Loop Detected"; // RFC 5842; Beast knows neither it nor what an operator made up
    auto const known = boost::beast::http::int_to_status(status) != boost::beast::http::status::unknown;
    return known ? boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status)) : "Refused";
}

void append_status_line(std::string& out, unsigned status)
{
    out.append("HTTP/1.1 ");
    append_number(out, status);
    out.append(" ").append(phrase(status)).append("\r\n");
}

void finish(std::string& out, response_context const& context, answer_body const& body)
{
    out.append("Date: ").append(context.date).append("\r\nCache-Control: no-store\r\n");
    append_cors(out, context.origin);
    if (context.connection == persistence::close) out.append("Connection: close\r\n");
    out.append("Content-Type: ").append(body.media_type).append("\r\nContent-Length: ");
    append_number(out, body.text.size());
    out.append("\r\n\r\n");
    if (!context.head_request) out.append(body.text);
}

unsigned simple(std::string& out, response_context const& context, unsigned status, std::string_view detail)
{
    out.clear();
    append_status_line(out, status);
    finish(out, context, blank_problem(status, phrase(status), detail));
    return status;
}

} // namespace penstock::gateway::respond
