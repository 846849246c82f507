#include "gateway/relayed_head.hpp"

#include "gateway/answer_body.hpp"
#include "gateway/own_answer.hpp"
#include "proxy/fields.hpp"

#include <boost/beast/core/string.hpp>

namespace penstock::gateway::respond {
namespace {

bool is_limit_family(std::string_view name, std::string_view family) noexcept
{
    return name.size() > family.size() && boost::beast::iequals(name.substr(0, family.size()), family);
}

// Decides on the limit fields of an upstream beside ours, once per response that has any.
class upstream_limit_fields {
public:
    upstream_limit_fields(std::vector<base::field> const& fields, limit_report const& report,
                          conf::response_settings const& settings)
        : report_(report)
    {
        for (auto const style : settings.rate_limit_fields) {
            if (style == conf::field_style::draft) draft_ = true;
            if (style == conf::field_style::triple) triple_ = true;
            if (style == conf::field_style::x_ratelimit) x_ratelimit_ = true;
        }
        stands_.triple_stands = triple_ && upstream_is_stricter(fields, "RateLimit-Remaining", report);
        stands_.x_ratelimit_stands = x_ratelimit_ && upstream_is_stricter(fields, "X-RateLimit-Remaining", report);
    }
    [[nodiscard]] upstream_families const& families() const noexcept { return stands_; }
    [[nodiscard]] bool copies(base::field const& field) const
    {
        if (report_.empty()) return true;
        using boost::beast::iequals;
        auto const is_limits = iequals(field.name, "RateLimit");
        if (is_limits || iequals(field.name, "RateLimit-Policy")) {
            auto const which = is_limits ? list_field::limits : list_field::policies;
            return !draft_ || judge_list_field(which, field.value, report_) == upstream_fields::copy;
        }
        // Of fields that cannot be sent twice the stricter set is sent (RL-27, RL-58).
        if (triple_ && is_limit_family(field.name, "RateLimit-")) return stands_.triple_stands;
        if (x_ratelimit_ && is_limit_family(field.name, "X-RateLimit-")) return stands_.x_ratelimit_stands;
        return true;
    }

private:
    limit_report const& report_;
    upstream_families stands_;
    bool draft_ = false;
    bool triple_ = false;
    bool x_ratelimit_ = false;
};

} // namespace

void relayed(std::string& out, response_context const& context, proxy::response_head const& answer, limit_report const& report,
             proxy::body_framing framing)
{
    out.assign("HTTP/1.1 ");
    append_number(out, answer.status);
    out.append(" ").append(answer.reason).append("\r\n");

    proxy::connection_options connection;
    bool has_date = false;
    bool shared_cacheable = false;
    bool allows_origin = false;
    std::string_view declared_length;
    for (auto const& field : answer.fields) {
        if (proxy::classify_field(field.name) == proxy::field_kind::connection) connection.add(field.value);
    }
    upstream_limit_fields const theirs(answer.fields, report, context.settings);
    for (auto const& field : answer.fields) {
        using boost::beast::iequals;
        switch (field.name.size()) { // the few names that matter here, told apart by length first
        case 4: has_date = has_date || iequals(field.name, "Date"); break;
        case 13:
            if (iequals(field.name, "Cache-Control")) shared_cacheable = is_shared_cacheable(field.value);
            break;
        case 14:
            if (iequals(field.name, "Content-Length")) declared_length = field.value;
            break;
        case 27: allows_origin = allows_origin || iequals(field.name, "Access-Control-Allow-Origin"); break;
        default: break;
        }
        if (proxy::forwards_response_field(field.name, connection) && theirs.copies(field))
            out.append(field.name).append(": ").append(field.value).append("\r\n");
    }
    if (!has_date) out.append("Date: ").append(context.date).append("\r\n");
    if (context.settings.on_success && !report.empty() && !shared_cacheable) {
        append_limit_fields(out, report, context.settings, context.now_s, theirs.families());
        if (allows_origin) out.append("Access-Control-Expose-Headers: ").append(exposed_fields).append("\r\n");
    }
    switch (framing.how) {
    case proxy::body_framing::kind::length:
        out.append("Content-Length: ");
        append_number(out, framing.length);
        out.append("\r\n");
        break;
    case proxy::body_framing::kind::chunked: out.append("Transfer-Encoding: chunked\r\n"); break;
    case proxy::body_framing::kind::none: // HEAD and 304 may say how long the content would be
        if (!declared_length.empty() && answer.status != 204 && answer.status / 100 != 1)
            out.append("Content-Length: ").append(declared_length).append("\r\n");
        break;
    case proxy::body_framing::kind::until_close: break;
    }
    if (context.connection == persistence::close) out.append("Connection: close\r\n");
    out.append("\r\n");
}

void interim(std::string& out, proxy::response_head const& answer)
{
    out.assign("HTTP/1.1 ");
    append_number(out, answer.status);
    out.append(" ").append(answer.reason).append("\r\n");
    proxy::connection_options connection;
    for (auto const& field : answer.fields) {
        if (proxy::classify_field(field.name) == proxy::field_kind::connection) connection.add(field.value);
    }
    for (auto const& field : answer.fields) {
        if (proxy::forwards_response_field(field.name, connection))
            out.append(field.name).append(": ").append(field.value).append("\r\n");
    }
    if (answer.status == 101) out.append("Connection: upgrade\r\nUpgrade: ").append(answer.upgrade).append("\r\n");
    out.append("\r\n");
}

} // namespace penstock::gateway::respond
