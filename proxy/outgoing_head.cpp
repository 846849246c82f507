#include "proxy/outgoing_head.hpp"

#include "base/field_name.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace penstock::proxy {
namespace {

void append_number(std::string& out, std::uint64_t number)
{
    std::array<char, 20> digits;
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

void append_field(std::string& out, std::string_view name, std::string_view value)
{
    out.append(name).append(": ").append(value).append("\r\n");
}

void append_client(std::string& out, std::string_view name, base::ip_address const& client)
{
    std::array<char, 46> text;
    append_field(out, name, client.write(text.data()));
}

bool is_first_of_its_name(std::span<base::field const> fields, base::field const& one) noexcept
{
    auto const* const end = &one;
    return std::none_of(fields.data(), end, [&](auto const& other) { return base::same_field(other.name, one.name); });
}

} // namespace

bool write_outgoing_head(std::string& out, outgoing_head const& head)
{
    auto const& received = head.received;
    connection_options connection;
    for (auto const& field : received.fields) {
        if (classify_field(field.name) == field_kind::connection) connection.add(field.value);
    }
    if (connection.too_many()) return false;

    out.clear();
    out.append(received.method)
        .append(" ")
        .append(head.target)
        .append(" HTTP/1.1\r\nHost: ")
        .append(head.origin.authority)
        .append("\r\n");
    for (auto const& field : received.fields) {
        if (head.max_forwards && base::is_field(field.name, "max-forwards")) continue;
        switch (fate_of(field.name, connection, head.origin)) {
        case field_fate::removed: break;
        case field_fate::copied: append_field(out, field.name, field.value); break;
        case field_fate::names_client:
            if (is_first_of_its_name(received.fields, field)) append_client(out, field.name, *head.origin.client);
            break;
        }
    }
    append_forwarding_fields(out, head.origin);
    if (head.max_forwards) {
        out.append("Max-Forwards: ");
        append_number(out, *head.max_forwards - 1);
        out.append("\r\n");
    }
    switch (received.body.how) {
    case body_framing::kind::length:
        out.append("Content-Length: ");
        append_number(out, received.body.length);
        out.append("\r\n");
        break;
    case body_framing::kind::chunked: out.append("Transfer-Encoding: chunked\r\n"); break;
    case body_framing::kind::none:
    case body_framing::kind::until_close: break;
    }
    if (received.expects_continue) out.append("Expect: 100-continue\r\n");
    if (!head.upgrade.empty()) out.append("Connection: upgrade\r\nUpgrade: ").append(head.upgrade).append("\r\n");
    out.append("\r\n");
    return true;
}

} // namespace penstock::proxy
